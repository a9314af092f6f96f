//! Colours, for terminals only.

/// Whether to use colours.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colours if `on`.
    pub fn new(on: bool) -> Self {
        Self { on }
    }

    /// What is well.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What is not.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// Names.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Details.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
