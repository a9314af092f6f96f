//! The parameters of OAuth's requests: in a query or in a form, each at most once.

/// Parameters as they were sent, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// A parameter that matters came more than once, so two readers could read two requests.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-3.1>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice;

impl Params {
    /// Reads a raw query or the body of a form.
    pub fn parse(raw: &[u8]) -> Self {
        Self(form_urlencoded::parse(raw).into_owned().collect())
    }

    /// The value of a parameter. An empty one counts as missing, as the specification has it.
    ///
    /// # Errors
    /// [`Twice`]
    pub fn once(&self, name: &str) -> Result<Option<&str>, Twice> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(Twice) } else { Ok(first.filter(|value| !value.is_empty())) }
    }

    /// The value of a parameter; `None` too if it came more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.once(name).ok().flatten()
    }

    /// Whether none of `names` came more than once.
    ///
    /// # Errors
    /// [`Twice`]
    pub fn check(&self, names: &[&str]) -> Result<(), Twice> {
        names.iter().try_for_each(|name| self.once(name).map(drop))
    }

    /// Those of `names` that are there, encoded again.
    pub fn encode(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, value)| names.contains(&name.as_str()) && !value.is_empty());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }
}
