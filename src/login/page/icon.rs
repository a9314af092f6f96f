//! The few drawings of the pages: our own, in the colour of the text around them. WeChat's logo is Tencent's.

use maud::{Markup, html};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    /// It worked.
    Tick,
    /// It was refused.
    Cross,
    /// It is too late: again.
    Again,
    /// Look at the phone.
    Phone,
    /// Type what the chat tells.
    Chat,
    /// To another's page.
    Away,
    /// Something to know.
    Notice,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Tick => "M5 12.5l4.5 4.5L19 7.5",
            Self::Cross => "M7 7l10 10M17 7L7 17",
            Self::Again => "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
            Self::Phone => {
                "M8 3.5h8a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1zM11 17.5h2"
            }
            Self::Chat => "M5 5h14v10h-7l-4 4v-4H5z",
            Self::Away => "M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9",
            Self::Notice => "M12 6v7.5M12 17.2v.1",
        }
    }

    /// The class of its colour.
    fn tone(self) -> &'static str {
        match self {
            Self::Tick => "good",
            Self::Cross => "bad",
            Self::Again | Self::Notice => "dull",
            Self::Phone | Self::Chat | Self::Away => "busy",
        }
    }
}

/// A disc with the icon.
pub(super) fn disc(icon: Icon) -> Markup {
    html! {
        span.disc.(icon.tone()) aria-hidden="true" {
            svg viewBox="0 0 24 24" { path d=(icon.path()) {} }
        }
    }
}
