//! The language of what a human reads on the terminal.

use clap::ValueEnum;

/// Chinese or English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the environment: Chinese if the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set says so.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = names.into_iter().filter_map(variable).find(|value| !value.is_empty());
        if set.is_some_and(|value| value.to_ascii_lowercase().starts_with("zh")) {
            Self::Zh
        } else {
            Self::En
        }
    }

    /// The text in this language.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |pairs: &'static [(&str, &str)]| {
            Lang::of_environment(|name| {
                pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned())
            })
        };
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "zh")]), Lang::Zh);
        assert_eq!(of(&[]), Lang::En);
    }
}
