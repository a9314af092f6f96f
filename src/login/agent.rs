//! The browser and system of a User-Agent, for people, and the kind of device.

/// What the page is opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A desktop browser.
    Desktop,
    /// A phone's browser, other than WeChat's.
    Phone,
    /// WeChat's own browser.
    Wechat,
}
