//! How the program ends.

use super::problem::Problem;
use super::voice::Voice;

/// The command was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All is well.
    Good,
    /// Something is not: an unhealthy account, a menu with faults.
    Bad,
}

/// It was not.
#[derive(Debug)]
pub enum Stop {
    /// The command, the settings or a file are not such that anything could be asked.
    Usage(String),
    /// Nobody answered.
    Unreachable(String),
    /// Somebody said no: whoever sits at the terminal, or a file that makes no sense.
    Refused(String),
    /// The API said no.
    Problem(Box<Problem>),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl Stop {
    /// Says it: to people what to do, to programs the problem as the API has it.
    pub fn tell(&self, voice: Voice) {
        match self {
            Self::Usage(words) | Self::Unreachable(words) | Self::Refused(words) => {
                voice.alert(&format!("wx: {words}"));
            }
            Self::Problem(problem) if voice.json => voice.document(&problem.body),
            Self::Problem(problem) => voice.alert(&problem.words(voice)),
        }
    }

    /// With something to do about it.
    #[must_use]
    pub fn hint(self, hint: &str) -> Self {
        match self {
            Self::Unreachable(words) => Self::Unreachable(format!("{words}\n  → {hint}")),
            Self::Problem(mut problem) => {
                problem.hints.push(hint.to_owned());
                Self::Problem(problem)
            }
            other => other,
        }
    }
}

/// The exit code.
pub fn code(ended: &Result<Ending, Stop>) -> u8 {
    match ended {
        Ok(Ending::Good) => 0,
        Ok(Ending::Bad) | Err(Stop::Refused(_) | Stop::Problem(_)) => 1,
        Err(Stop::Usage(_)) => 2,
        Err(Stop::Unreachable(_)) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_end_has_its_code() {
        let words = String::new;
        assert_eq!(code(&Ok(Ending::Good)), 0);
        assert_eq!(code(&Ok(Ending::Bad)), 1);
        assert_eq!(code(&Err(Stop::Refused(words()))), 1);
        assert_eq!(code(&Err(Problem::new(401, Value::Null).into())), 1);
        assert_eq!(code(&Err(Stop::Usage(words()))), 2);
        assert_eq!(code(&Err(Stop::Unreachable(words()))), 3);
    }
}
