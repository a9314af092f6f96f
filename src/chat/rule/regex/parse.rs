//! A pattern, read.

/// Most groups that are remembered.
const GROUPS: usize = 9;
/// How deep groups may be nested.
const DEEPEST: usize = 20;
/// Most repetitions that can be asked for.
const MOST: usize = 1000;

const LAST: char = char::MAX;
const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];
const NO_DIGIT: &[(char, char)] = &[('\0', '/'), (':', LAST)];
const NO_WORD: &[(char, char)] = &[('\0', '/'), (':', '@'), ('[', '^'), ('`', '`'), ('{', LAST)];
const NO_SPACE: &[(char, char)] = &[('\0', '\u{8}'), ('\u{e}', '\u{1f}'), ('!', LAST)];

/// What was read, or what is wrong.
pub(super) type Parsed<T> = Result<T, &'static str>;

/// Characters of these ranges, or all others.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    ranges: Vec<(char, char)>,
    others: bool,
}

/// A part of a pattern.
pub(super) enum Node {
    Nothing,
    One(Set),
    Begin,
    End,
    All(Vec<Node>),
    Any(Vec<Node>),
    Group(Box<Node>, usize),
    Repeat { node: Box<Node>, least: usize, most: Option<usize>, greedy: bool },
}

impl Node {
    /// Whether it can match nothing at all.
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Nothing | Self::Begin | Self::End => true,
            Self::One(_) => false,
            Self::All(nodes) => nodes.iter().all(Self::is_nullable),
            Self::Any(nodes) => nodes.iter().any(Self::is_nullable),
            Self::Group(node, _) => node.is_nullable(),
            Self::Repeat { node, least, .. } => *least == 0 || node.is_nullable(),
        }
    }
}

impl Set {
    fn of(ranges: &[(char, char)]) -> Self {
        Self { ranges: ranges.to_vec(), others: false }
    }

    pub(super) fn has(&self, letter: char, any_case: bool) -> bool {
        let is_in = |letter| self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter));
        let found = is_in(letter)
            || any_case && (is_in(letter.to_ascii_lowercase()) || is_in(letter.to_ascii_uppercase()));
        found != self.others
    }
}

/// Reads a pattern: what it is, and how many groups it has.
pub(super) fn parse(pattern: &str) -> Parsed<(Node, usize)> {
    let mut parser = Parser { rest: pattern.chars().peekable(), groups: 0, depth: 0 };
    let node = parser.alternatives()?;
    if parser.rest.next().is_some() {
        return Err("a bracket is closed that was not opened");
    }
    Ok((node, parser.groups))
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    groups: usize,
    depth: usize,
}

impl Parser<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// Alternatives, up to the end or the closing bracket.
    fn alternatives(&mut self) -> Parsed<Node> {
        let mut all = vec![self.sequence()?];
        while self.eat('|') {
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 { all.pop().unwrap_or(Node::Nothing) } else { Node::Any(all) })
    }

    fn sequence(&mut self) -> Parsed<Node> {
        let mut all = Vec::new();
        while let Some(next) = self.rest.next_if(|next| !matches!(next, '|' | ')')) {
            let node = self.one(next)?;
            all.push(self.repeated(node)?);
        }
        Ok(Node::All(all))
    }

    fn one(&mut self, first: char) -> Parsed<Node> {
        Ok(match first {
            '.' => Node::One(Set { ranges: vec![('\n', '\n')], others: true }),
            '^' => Node::Begin,
            '$' => Node::End,
            '(' => self.group()?,
            '[' => Node::One(self.class()?),
            '\\' => Node::One(self.escaped()?),
            '*' | '+' | '?' | '{' => return Err("there is nothing to repeat"),
            letter => Node::One(Set::of(&[(letter, letter)])),
        })
    }

    fn group(&mut self) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("groups are nested too deep");
        }
        let number = if self.eat('?') {
            if !self.eat(':') {
                return Err("only (?: is known, and (?i) at the beginning");
            }
            None
        } else {
            self.groups += 1;
            Some(self.groups)
        };
        if self.groups > GROUPS {
            return Err("it has more than 9 groups; write those that no reply names as (?:…)");
        }
        let inner = self.alternatives()?;
        if !self.eat(')') {
            return Err("a bracket is not closed");
        }
        self.depth -= 1;
        Ok(match number {
            Some(number) => Node::Group(Box::new(inner), number),
            None => inner,
        })
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Parsed<Set> {
        Ok(match self.rest.next() {
            Some('d') => Set::of(DIGIT),
            Some('w') => Set::of(WORD),
            Some('s') => Set::of(SPACE),
            Some('D') => Set::of(NO_DIGIT),
            Some('W') => Set::of(NO_WORD),
            Some('S') => Set::of(NO_SPACE),
            Some('n') => Set::of(&[('\n', '\n')]),
            Some('r') => Set::of(&[('\r', '\r')]),
            Some('t') => Set::of(&[('\t', '\t')]),
            Some(sign) if sign.is_ascii_punctuation() && !matches!(sign, '<' | '>') => {
                Set::of(&[(sign, sign)])
            }
            _ => return Err("what follows a \\ is not known"),
        })
    }

    /// What follows `[`.
    fn class(&mut self) -> Parsed<Set> {
        let mut set = Set { others: self.eat('^'), ..Set::default() };
        loop {
            let first = match self.rest.next() {
                None => return Err("a [ is not closed"),
                Some(']') if set.ranges.is_empty() => {
                    return Err("a [ ] is empty; \\] is the bracket itself");
                }
                Some(']') => return Ok(set),
                Some('[' | '&' | '~') => return Err("put a \\ before [, & or ~ inside of [ ]"),
                Some('\\') => self.escaped()?,
                Some(letter) => Set::of(&[(letter, letter)]),
            };
            let from = single(&first);
            if !self.eat('-') {
                set.ranges.extend(first.ranges);
                continue;
            }
            let last = match self.rest.next() {
                Some('\\') => self.escaped()?,
                Some(']' | '[' | '-') | None => return Err("put a \\ before a - that is meant as itself"),
                Some(letter) => Set::of(&[(letter, letter)]),
            };
            match (from, single(&last)) {
                (Some(from), Some(to)) if from <= to => set.ranges.push((from, to)),
                _ => return Err("a range goes from a smaller character to a larger one"),
            }
        }
    }

    /// A node with what says how often it comes.
    fn repeated(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            let next = self.rest.next_if(|next| matches!(next, '*' | '+' | '?' | '{'));
            let (least, most) = match next {
                None => return Ok(node),
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some(_) => self.counted()?,
            };
            if matches!(node, Node::Repeat { .. }) {
                return Err("a repetition is repeated; use (?: )");
            }
            let greedy = !self.eat('?');
            node = Node::Repeat { node: Box::new(node), least, most, greedy };
        }
    }

    /// What follows `{`.
    fn counted(&mut self) -> Parsed<(usize, Option<usize>)> {
        const WRONG: &str = "a repetition is {2}, {2,} or {2,5}, up to 1000; \\{ is the bracket itself";
        let least = self.number().ok_or(WRONG)?;
        let most = if self.eat(',') { self.number() } else { Some(least) };
        let fine = self.eat('}') && least <= MOST && most.is_none_or(|most| (least..=MOST).contains(&most));
        if fine { Ok((least, most)) } else { Err(WRONG) }
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.rest.peek().and_then(|next| next.to_digit(10)) {
            self.rest.next();
            number = Some(number.unwrap_or(0usize).saturating_mul(10).saturating_add(digit as usize));
        }
        number
    }
}

/// The only character of a set.
fn single(set: &Set) -> Option<char> {
    match set.ranges.as_slice() {
        [(from, to)] if from == to => Some(*from),
        _ => None,
    }
}
