//! The menu below the chat.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html>

use super::api::Api;
use crate::state::State;

/// The family's APIs.
pub const APIS: &[Api] = &[];

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Menus {}

/// TEMPORARY
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Button {
    pub kind: Option<String>,
    pub name: String,
    pub key: Option<String>,
    pub url: Option<String>,
    pub media_id: Option<String>,
    pub article_id: Option<String>,
    pub appid: Option<String>,
    pub pagepath: Option<String>,
    pub sub_button: Vec<Button>,
}
/// TEMPORARY
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Menu {
    pub button: Vec<Button>,
    pub menuid: u64,
}
impl Menu {
    /// TEMPORARY
    pub fn button_at(&self, path: &[usize]) -> Option<&Button> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.button.get(*first)?, |button, index| button.sub_button.get(*index))
    }
}
/// TEMPORARY
pub fn menu_for<'a>(_: &'a State, _: &str) -> Option<&'a Menu> {
    None
}
