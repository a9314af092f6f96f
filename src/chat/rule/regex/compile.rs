//! A pattern as a program.

use super::Step;
use super::parse::{Node, Parsed};

/// Most instructions of a program, and most steps to make it.
const LARGEST: usize = 500;
const LONGEST_WAY: usize = 10_000;
/// The program of a pattern.
pub(super) fn compile(node: &Node) -> Parsed<Vec<Step>> {
    let mut compiler = Compiler::default();
    compiler.add(node)?;
    compiler.push(Step::Match)?;
    Ok(compiler.program)
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
