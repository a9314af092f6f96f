//! Drafts and publishing.
//!
//! - `article`: one article, and the limits of what it is made of.
//! - `content`: what WeChat removes from an article's HTML.
//! - `publish`: from a draft to a page that everyone can read.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html>

mod article;
mod content;
mod publish;

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, list, number, ok_with};
use super::batch::{self, Page};
use super::errcode::{self, Errcode};
use super::{ApiReply, done, escapes};
use crate::{ids, phone};

pub use article::Article;
pub use publish::{ARTICLE_ID, Published};

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/draft/add", Right::Material, add),
    Api::post("/cgi-bin/draft/get", Right::Material, get),
    Api::post("/cgi-bin/draft/delete", Right::Material, delete),
    Api::post("/cgi-bin/draft/update", Right::Material, update),
    Api::get("/cgi-bin/draft/count", Right::Material, count),
    Api::post("/cgi-bin/draft/batchget", Right::Material, batch_get),
    Api::post("/cgi-bin/draft/switch", Right::Material, switch),
    Api::post("/cgi-bin/freepublish/submit", Right::Material, publish::submit),
    Api::post("/cgi-bin/freepublish/get", Right::Material, publish::get),
    Api::post("/cgi-bin/freepublish/batchget", Right::Material, publish::batch_get),
    Api::post("/cgi-bin/freepublish/getarticle", Right::Material, publish::get_article),
    Api::post("/cgi-bin/freepublish/delete", Right::Material, publish::delete),
];

const INDEX: Errcode = Errcode(40114);
const NO_ARTICLES: Errcode = Errcode(44003);

/// Most articles of one draft.
const MOST_ARTICLES: usize = 8;

/// One draft: articles that are published together.
#[derive(Debug, Clone)]
pub struct News {
    /// Its id, which it keeps when it is published.
    pub media_id: String,
    /// Its articles.
    pub articles: Vec<Article>,
    /// The name under which its pages are: the media id, or the article id of a published one.
    pub page_id: String,
    created_s: u64,
    updated_s: u64,
}

/// What the account wrote, and what it published, in this order.
#[derive(Debug, Default)]
pub struct Drafts {
    drafts: Vec<News>,
    published: Vec<Published>,
    /// Sent to many without being published: no list has them.
    sent: Vec<News>,
}

impl News {
    /// Its articles and times as WeChat gives them, the articles with their text if it is asked for.
    pub fn content(&self, base_url: &str, text: bool) -> Value {
        let one = |(index, article): (usize, &Article)| {
            article.described(base_url, &self.page(base_url, index), text)
        };
        let items: Vec<Value> = self.articles.iter().enumerate().map(one).collect();
        json!({ "news_item": items, "create_time": self.created_s, "update_time": self.updated_s })
    }

    /// It as an entry of a list.
    pub fn listed(&self, base_url: &str, text: bool) -> Value {
        let content = self.content(base_url, text);
        json!({ "media_id": self.media_id, "content": content, "update_time": self.updated_s })
    }

    /// Where the simulator serves the article with this index, from 0.
    pub fn page(&self, base_url: &str, index: usize) -> String {
        match index {
            0 => format!("{base_url}/s/{}", self.page_id),
            _ => format!("{base_url}/s/{}?idx={}", self.page_id, index + 1),
        }
    }

    /// Deletes the page of the article with this number, from 1; with 0, of all of them.
    ///
    /// # Errors
    /// 40114 if there is no such article.
    fn delete(&mut self, number: u64) -> Result<(), Errcode> {
        if number == 0 {
            self.articles.iter_mut().for_each(|article| article.is_deleted = true);
            return Ok(());
        }
        let index = usize::try_from(number - 1).map_err(|_| INDEX)?;
        self.articles.get_mut(index).ok_or(INDEX)?.is_deleted = true;
        Ok(())
    }

    /// Whether there is an article left.
    pub fn is_there(&self) -> bool {
        self.articles.iter().any(|article| !article.is_deleted)
    }

    /// It as a card in a chat.
    pub fn card(&self, base_url: &str) -> phone::Bubble {
        let seen = self.articles.iter().enumerate().filter(|(_, article)| !article.is_deleted);
        let articles = seen.map(|(index, article)| phone::Article {
            title: article.title.clone(),
            description: article.digest.clone(),
            pic_url: article.cover(base_url).unwrap_or_default(),
            url: self.page(base_url, index),
        });
        phone::Bubble::News { articles: articles.collect() }
    }
}

impl Drafts {
    /// The draft with this media id, published or sent or not: what a message may name.
    pub fn news(&self, media_id: &str) -> Option<&News> {
        let kept = self.drafts.iter().chain(&self.sent).find(|news| news.media_id == media_id);
        kept.or_else(|| self.published_news(media_id))
    }

    /// It was sent to many: a draft leaves the box.
    pub fn note_sent(&mut self, media_id: &str) {
        // What is published stays where it is.
        let draft = self.take(media_id);
        self.sent.extend(draft);
    }

    /// Deletes the page of an article that was sent to many, or of all with the number 0; whether some are left.
    ///
    /// # Errors
    /// 40114 if there is no such article.
    pub fn delete_sent(&mut self, media_id: &str, number: u64) -> Result<bool, Errcode> {
        let published = self.published.iter_mut().map(|published| &mut published.news);
        let mut all = self.sent.iter_mut().chain(published);
        let Some(news) = all.find(|news| news.media_id == media_id) else { return Ok(false) };
        news.delete(number)?;
        Ok(news.is_there())
    }

    /// The published draft with this media id.
    pub fn published_news(&self, media_id: &str) -> Option<&News> {
        self.all_published_news().into_iter().find(|news| news.media_id == media_id)
    }

    /// What was published and not deleted since.
    pub fn all_published_news(&self) -> Vec<&News> {
        self.published
            .iter()
            .filter(|published| published.news.is_there())
            .map(|published| &published.news)
            .collect()
    }

    /// What was published under this article id, unless all of it was deleted.
    pub fn published(&self, article_id: &str) -> Option<&News> {
        self.all_published_news().into_iter().find(|news| news.page_id == article_id)
    }

    /// The article behind a page: of something published, or of a draft, as a preview.
    pub fn article(&self, page_id: &str, index: usize) -> Option<&Article> {
        let draft = self.drafts.iter().chain(&self.sent).find(|news| news.page_id == page_id);
        let news = draft.or_else(|| self.published(page_id))?;
        news.articles.get(index).filter(|article| !article.is_deleted)
    }

    fn draft(&mut self, media_id: &str) -> Result<&mut News, Errcode> {
        self.drafts.iter_mut().find(|news| news.media_id == media_id).ok_or(errcode::MEDIA_ID)
    }

    /// Takes a draft out of the box.
    fn take(&mut self, media_id: &str) -> Result<News, Errcode> {
        let index = self.drafts.iter().position(|news| news.media_id == media_id);
        Ok(self.drafts.remove(index.ok_or(errcode::MEDIA_ID)?))
    }
}

/// The body, with escapes left as they are: WeChat shows `\u4f60` in a title to everyone who reads it.
fn read(call: &Call<'_>) -> Result<Value, Errcode> {
    call.json()?;
    serde_json::from_slice(&escapes::literal(&call.request.body)).map_err(|_| errcode::NOT_JSON)
}

/// `POST /cgi-bin/draft/add?access_token=…`
fn add(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = read(call)?;
    let wanted = list(&asked, "articles");
    match wanted.len() {
        0 => return Err(NO_ARTICLES),
        1..=MOST_ARTICLES => {}
        _ => return Err(errcode::TOO_MANY_ARTICLES),
    }
    let alone = wanted.len() == 1;
    let articles = wanted.iter().map(|article| Article::read(article, alone, call.state));
    let articles = articles.collect::<Result<Vec<_>, _>>()?;
    let media_id = ids::media_id();
    let (page_id, now_s) = (media_id.clone(), call.now_ms / 1000);
    let news = News { media_id: media_id.clone(), articles, page_id, created_s: now_s, updated_s: now_s };
    call.state.drafts.drafts.push(news);
    Ok(ApiReply::Json(json!({ "media_id": media_id, "item": [] })))
}

/// `POST /cgi-bin/draft/get?access_token=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = batch::media_id(&asked)?;
    Ok(ApiReply::Json(call.state.drafts.draft(id)?.content(&call.state.base_url, true)))
}

/// `POST /cgi-bin/draft/delete?access_token=…`
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    call.state.drafts.take(batch::media_id(&asked)?)?;
    Ok(done())
}

/// `POST /cgi-bin/draft/update?access_token=…`: one article of a draft.
fn update(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = read(call)?;
    let id = batch::media_id(&asked)?;
    let alone = call.state.drafts.draft(id)?.articles.len() == 1;
    let article = Article::read(asked.get("articles").unwrap_or(&Value::Null), alone, call.state)?;
    let index = number(&asked, "index").and_then(|index| usize::try_from(index).ok()).ok_or(INDEX)?;
    let news = call.state.drafts.draft(id)?;
    *news.articles.get_mut(index).ok_or(INDEX)? = article;
    news.updated_s = call.now_ms / 1000;
    Ok(done())
}

/// `GET /cgi-bin/draft/count?access_token=…`
fn count(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    Ok(ApiReply::Json(json!({ "total_count": call.state.drafts.drafts.len() })))
}

/// `POST /cgi-bin/draft/batchget?access_token=…`
fn batch_get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let text = number(&asked, "no_content") != Some(1);
    let base_url = &call.state.base_url;
    Ok(Page::read(&asked)?.answer(&call.state.drafts.drafts, |news| news.listed(base_url, text)))
}

/// `POST /cgi-bin/draft/switch?access_token=…[&checkonly=1]`: every account has the box switched on by now, for good.
fn switch(_: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    Ok(ok_with(json!({ "is_open": 1 })))
}
