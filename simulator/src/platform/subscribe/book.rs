//! Templates for notifications and the consents to them, of each app.

use std::collections::BTreeMap;

use crate::platform::api::App;
use crate::platform::errcode::Errcode;

/// Templates of one app.
const MOST: usize = 50;

const TEMPLATE_ID: Errcode = Errcode(40037);
const TOO_MANY: Errcode = Errcode(200_012);

/// One of an app's templates.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// The headline of its cards.
    pub title: String,
    /// Lines with places such as `{{thing1.DATA}}`.
    pub content: String,
    /// The content with examples in the places.
    pub example: String,
    /// Whether one consent lasts until it is taken back.
    pub long_term: bool,
    /// What the places with fixed values may hold.
    pub options: BTreeMap<String, &'static [&'static str]>,
}

impl Template {
    /// What a place with fixed values may hold.
    pub fn options(&self, key: &str) -> Option<&'static [&'static str]> {
        self.options.get(key).copied()
    }
}

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Subscriptions {
    official: Book,
    mini: Book,
}

impl Subscriptions {
    /// The book of an app.
    pub fn of(&mut self, app: App) -> &mut Book {
        match app {
            App::Official => &mut self.official,
            App::Mini => &mut self.mini,
        }
    }

    /// Which app has this template.
    pub fn owner(&self, template_id: &str) -> Option<App> {
        let has = |book: &Book| book.templates.iter().any(|template| template.id == template_id);
        [(App::Official, &self.official), (App::Mini, &self.mini)]
            .into_iter()
            .find(|(_, book)| has(book))
            .map(|(app, _)| app)
    }
}

/// Templates and consents of one app.
#[derive(Debug, Default)]
pub struct Book {
    templates: Vec<Template>,
    /// Messages that may be sent, by openid and template.
    consents: BTreeMap<(String, String), u32>,
    /// The same for one-time subscriptions by a page, by openid, template and scene.
    scenes: BTreeMap<(String, String, u64), u32>,
}

impl Book {
    /// The templates, in the order in which they were added.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The template with this id.
    ///
    /// # Errors
    /// 40037 if there is none.
    pub fn find(&self, id: &str) -> Result<&Template, Errcode> {
        self.templates.iter().find(|template| template.id == id).ok_or(TEMPLATE_ID)
    }

    /// Adds a template, or replaces the one with its id.
    ///
    /// # Errors
    /// 200012 when there are 50 already.
    pub fn put(&mut self, template: Template) -> Result<(), Errcode> {
        let full = self.templates.len() == MOST;
        match self.templates.iter_mut().find(|known| known.id == template.id) {
            Some(known) => *known = template,
            None if full => return Err(TOO_MANY),
            None => self.templates.push(template),
        }
        Ok(())
    }

    /// Removes a template.
    ///
    /// # Errors
    /// 40037 if there is none.
    pub fn remove(&mut self, id: &str) -> Result<(), Errcode> {
        self.find(id)?;
        self.templates.retain(|template| template.id != id);
        Ok(())
    }

    /// The person accepts: one more message, or any number of a long-term template.
    pub fn accept(&mut self, openid: &str, template_id: &str) {
        *self.consents.entry((openid.to_owned(), template_id.to_owned())).or_default() += 1;
    }

    /// The person takes every consent to this template back.
    pub fn withdraw(&mut self, openid: &str, template_id: &str) {
        self.consents.remove(&(openid.to_owned(), template_id.to_owned()));
    }

    /// Uses one consent; false without any.
    pub fn take(&mut self, openid: &str, template_id: &str) -> bool {
        let long_term = self.find(template_id).is_ok_and(|template| template.long_term);
        let left = self.consents.get_mut(&(openid.to_owned(), template_id.to_owned()));
        let Some(left) = left.filter(|left| **left > 0) else { return false };
        if !long_term {
            *left -= 1;
        }
        true
    }

    /// The person agrees to one message in a scene.
    pub fn accept_scene(&mut self, openid: &str, template_id: &str, scene: u64) {
        *self.scenes.entry((openid.to_owned(), template_id.to_owned(), scene)).or_default() += 1;
    }

    /// Uses the consent to a scene; false without one.
    pub fn take_scene(&mut self, openid: &str, template_id: &str, scene: u64) -> bool {
        let left = self.scenes.get_mut(&(openid.to_owned(), template_id.to_owned(), scene));
        let Some(left) = left.filter(|left| **left > 0) else { return false };
        *left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_consent_is_one_message_unless_it_is_a_long_term_one() {
        let mut book = Book::default();
        for (id, long_term) in [("once", false), ("long", true)] {
            book.put(Template { id: id.to_owned(), long_term, ..Template::default() }).unwrap();
            assert!(!book.take("o1", id), "nobody agreed");
            book.accept("o1", id);
        }
        assert!(book.take("o1", "once") && !book.take("o1", "once") && !book.take("o2", "long"));
        assert!(book.take("o1", "long") && book.take("o1", "long"));
        book.withdraw("o1", "long");
        assert!(!book.take("o1", "long"));
        book.accept_scene("o1", "once", 7);
        assert!(
            !book.take_scene("o1", "once", 8)
                && book.take_scene("o1", "once", 7)
                && !book.take_scene("o1", "once", 7)
        );
    }
}
