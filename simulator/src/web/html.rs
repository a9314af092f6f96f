//! Markup that cannot forget to escape: [`html!`](crate::web::html::html) fills a template, and what it fills in is
//! escaped unless it is markup itself.

use std::borrow::Cow;

/// Markup, ready to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// For [`html!`] alone, which has escaped every part.
    pub fn of_escaped(markup: String) -> Self {
        Self(markup)
    }

    /// The markup.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<T: IntoIterator<Item = Html>>(pieces: T) -> Self {
        Self(pieces.into_iter().map(Html::into_string).collect())
    }
}

/// What a template can be filled with.
pub trait Show {
    /// As it goes into markup: between tags, or between the double quotes of an attribute.
    fn show(&self) -> Cow<'_, str>;
}

impl Show for Html {
    fn show(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Show for str {
    fn show(&self) -> Cow<'_, str> {
        escape(self)
    }
}

impl Show for String {
    fn show(&self) -> Cow<'_, str> {
        escape(self)
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> Cow<'_, str> {
        (*self).show()
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Cow<'_, str> {
        self.as_ref().map_or(Cow::Borrowed(""), Show::show)
    }
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().fold(String::with_capacity(text.len() + 16), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    });
    Cow::Owned(escaped)
}

/// Fills a template as `format!` does; see [`Show`].
macro_rules! html {
    ($template:literal $(, $part:expr)* $(,)?) => {
        $crate::web::html::Html::of_escaped(format!($template $(, $crate::web::html::Show::show(&$part))*))
    };
}
pub(crate) use html;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        let name = "<b>\"小明\" & 'co'</b>".to_owned();
        let item = html!("<li title=\"{}\">{}</li>", name, "a<b");
        assert_eq!(
            item.clone().into_string(),
            "<li title=\"&lt;b&gt;&quot;小明&quot; &amp; &#39;co&#39;&lt;/b&gt;\">a&lt;b</li>"
        );
        let list: Html = [item.clone(), item.clone()].into_iter().collect();
        assert_eq!(
            html!("<ul>{}{}</ul>", list, None::<Html>).into_string(),
            format!("<ul>{0}{0}</ul>", item.0)
        );
    }
}
