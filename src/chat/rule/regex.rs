//! Regular expressions in linear time: what an operator writes must not be able to stop the account.
//!
//! A pattern becomes a small program, and all its threads read the text together, each character once (Thompson, Pike:
//! <https://swtch.com/~rsc/regexp/regexp2.html>). It does what `regex-lite` does with the same pattern, which is held
//! against it in the tests; that crate takes 21 kB of the bundle, because it can do more.
//!
//! Known: letters and other characters as themselves, `\` before punctuation, `\n \r \t`, `.`, `\d \w \s \D \W \S`
//! (ASCII), `[a-z]`, `[^a-z]`, `( )`, `(?: )`, `|`, `* + ? {2} {2,} {2,5}` and the same with `?` behind, `^`, `$`, and
//! `(?i)` at the beginning.

/// Most groups that are remembered.
const GROUPS: usize = 9;
/// How deep groups may be nested.
const DEEPEST: usize = 20;
/// Most instructions of a program, and most steps to make it.
const LARGEST: usize = 500;
const LONGEST_WAY: usize = 10_000;
/// Most repetitions that can be asked for.
const MOST: usize = 1000;

const LAST: char = char::MAX;
const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];
const NO_DIGIT: &[(char, char)] = &[('\0', '/'), (':', LAST)];
const NO_WORD: &[(char, char)] = &[('\0', '/'), (':', '@'), ('[', '^'), ('`', '`'), ('{', LAST)];
const NO_SPACE: &[(char, char)] = &[('\0', '\u{8}'), ('\u{e}', '\u{1f}'), ('!', LAST)];

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Vec<Step>,
    groups: usize,
    any_case: bool,
}

/// Characters of these ranges, or all others.
#[derive(Clone, Debug, Default)]
struct Set {
    ranges: Vec<(char, char)>,
    others: bool,
}

#[derive(Clone, Debug)]
enum Step {
    One(Set),
    /// Goes on at both places; the first is preferred.
    Split(usize, usize),
    /// Notes where the text is read.
    Save(usize),
    Begin,
    End,
    Match,
}

enum Node {
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
    fn is_nullable(&self) -> bool {
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

    fn has(&self, letter: char, any_case: bool) -> bool {
        let is_in = |letter| self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter));
        let found = is_in(letter)
            || any_case && (is_in(letter.to_ascii_lowercase()) || is_in(letter.to_ascii_uppercase()));
        found != self.others
    }
}

type Parsed<T> = Result<T, &'static str>;

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

#[derive(Default)]
struct Compiler {
    program: Vec<Step>,
    way: usize,
}

impl Compiler {
    fn push(&mut self, step: Step) -> Parsed<usize> {
        if self.program.len() >= LARGEST {
            return Err("it is too large");
        }
        self.program.push(step);
        Ok(self.program.len() - 1)
    }

    /// A split into what follows it and what will be known later, by [`Self::join`].
    fn fork(&mut self) -> Parsed<usize> {
        self.push(Step::Split(0, 0))
    }

    /// Completes a split: its way into the body, and the way around it.
    fn join(&mut self, fork: usize, into: usize, around: usize, greedy: bool) {
        if let Some(step) = self.program.get_mut(fork) {
            *step = if greedy { Step::Split(into, around) } else { Step::Split(around, into) };
        }
    }

    fn add(&mut self, node: &Node) -> Parsed<()> {
        self.way += 1;
        if self.way > LONGEST_WAY {
            return Err("it is too large");
        }
        match node {
            Node::Nothing => {}
            Node::One(set) => drop(self.push(Step::One(set.clone()))?),
            Node::Begin => drop(self.push(Step::Begin)?),
            Node::End => drop(self.push(Step::End)?),
            Node::All(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Any(nodes) => self.any(nodes)?,
            Node::Group(node, number) => {
                self.push(Step::Save(number * 2 - 2))?;
                self.add(node)?;
                self.push(Step::Save(number * 2 - 1))?;
            }
            Node::Repeat { node, least, most, greedy } => self.repeat(node, *least, *most, *greedy)?,
        }
        Ok(())
    }

    fn any(&mut self, nodes: &[Node]) -> Parsed<()> {
        let mut ends = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.add(node)?;
                break;
            }
            let fork = self.fork()?;
            self.add(node)?;
            ends.push(self.fork()?);
            self.join(fork, fork + 1, self.program.len(), true);
        }
        let end = self.program.len();
        ends.into_iter().for_each(|jump| self.join(jump, end, end, true));
        Ok(())
    }

    fn repeat(&mut self, node: &Node, least: usize, most: Option<usize>, greedy: bool) -> Parsed<()> {
        let Some(most) = most else {
            // What can be nothing is not repeated as such: x* is then (x+)?, so that its groups come out right.
            if least == 0 && !node.is_nullable() {
                let fork = self.fork()?;
                self.add(node)?;
                let back = self.fork()?;
                self.join(back, fork, fork, true);
                self.join(fork, fork + 1, self.program.len(), greedy);
                return Ok(());
            }
            let around = if least == 0 { Some(self.fork()?) } else { None };
            for _ in 1..least {
                self.add(node)?;
            }
            let start = self.program.len();
            self.add(node)?;
            let again = self.fork()?;
            self.join(again, start, self.program.len(), greedy);
            if let Some(around) = around {
                self.join(around, around + 1, self.program.len(), greedy);
            }
            return Ok(());
        };
        for _ in 0..least {
            self.add(node)?;
        }
        let mut forks = Vec::new();
        for _ in least..most {
            forks.push(self.fork()?);
            self.add(node)?;
        }
        let end = self.program.len();
        forks.into_iter().for_each(|fork| self.join(fork, fork + 1, end, greedy));
        Ok(())
    }
}

/// The threads at one place of the text, the preferred ones first.
struct Threads {
    /// Where each is in the program, and what it has noted.
    list: Vec<(usize, Vec<usize>)>,
    /// When each place of the program was reached last.
    reached: Vec<usize>,
}

/// What a note is before it is made.
const NOWHERE: usize = usize::MAX;

impl Regex {
    /// Compiles a pattern; `any_case`: small and capital letters (ASCII) are the same.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(pattern: &str, any_case: bool) -> Result<Self, &'static str> {
        let bare = pattern.strip_prefix("(?i)");
        let any_case = any_case || bare.is_some();
        let mut parser = Parser { rest: bare.unwrap_or(pattern).chars().peekable(), groups: 0, depth: 0 };
        let node = parser.alternatives()?;
        if parser.rest.next().is_some() {
            return Err("a bracket is closed that was not opened");
        }
        let mut compiler = Compiler::default();
        compiler.add(&node)?;
        compiler.push(Step::Match)?;
        Ok(Self { program: compiler.program, groups: parser.groups, any_case })
    }

    /// What the groups matched in the first match: each as the bytes where it begins and ends.
    pub fn captures(&self, text: &str) -> Option<Vec<Option<(usize, usize)>>> {
        let new = || Threads { list: Vec::new(), reached: vec![NOWHERE; self.program.len()] };
        let (mut now, mut next) = (new(), new());
        let mut found: Option<Vec<usize>> = None;
        let ends = text.char_indices().map(|(at, letter)| (at, Some(letter)));
        for (at, letter) in ends.chain([(text.len(), None)]) {
            if found.is_none() {
                self.follow(&mut now, 0, at, text.len(), vec![NOWHERE; self.groups * 2]);
            } else if now.list.is_empty() {
                break;
            }
            for (place, notes) in now.list.drain(..) {
                match self.program.get(place) {
                    Some(Step::One(set)) => {
                        if let Some(letter) = letter.filter(|letter| set.has(*letter, self.any_case)) {
                            self.follow(&mut next, place + 1, at + letter.len_utf8(), text.len(), notes);
                        }
                    }
                    _ => {
                        found = Some(notes);
                        break;
                    }
                }
            }
            std::mem::swap(&mut now, &mut next);
            next.list.clear();
        }
        let found = found?;
        let group = |number: usize| {
            let (from, to) = (*found.get(number * 2)?, *found.get(number * 2 + 1)?);
            (from != NOWHERE && to != NOWHERE).then_some((from, to))
        };
        Some((0..self.groups).map(group).collect())
    }

    /// Adds the threads that go on from `place` without reading.
    fn follow(&self, threads: &mut Threads, place: usize, at: usize, end: usize, notes: Vec<usize>) {
        let mut todo = vec![(place, notes)];
        while let Some((place, mut notes)) = todo.pop() {
            match threads.reached.get_mut(place) {
                Some(reached) if *reached != at => *reached = at,
                _ => continue,
            }
            match self.program.get(place) {
                Some(Step::Split(first, second)) => {
                    todo.push((*second, notes.clone()));
                    todo.push((*first, notes));
                }
                Some(Step::Save(slot)) => {
                    if let Some(note) = notes.get_mut(*slot) {
                        *note = at;
                    }
                    todo.push((place + 1, notes));
                }
                Some(Step::Begin) if at == 0 => todo.push((place + 1, notes)),
                Some(Step::End) if at == end => todo.push((place + 1, notes)),
                Some(Step::One(_) | Step::Match) => threads.list.push((place, notes)),
                _ => {}
            }
        }
    }
}
