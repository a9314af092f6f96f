//! Publishing: a draft becomes a page, and the account is told when it is there.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Publish/Publish.html>

use serde_json::{Value, json};

use super::{News, batch};
use crate::ids;
use crate::platform::api::{Call, PLATFORM, number, ok_with, text, with};
use crate::platform::batch::Page;
use crate::platform::errcode::Errcode;
use crate::platform::{ApiReply, done};

/// No such article, or nothing is left of it.
pub const ARTICLE_ID: Errcode = Errcode(53600);
const PUBLISH_ID: Errcode = Errcode(53502);

/// Numbers of publishing jobs begin here, as WeChat's do.
const FIRST_JOB: u64 = 2_247_483_650;

/// `publish_status`: everything can be read.
const PUBLISHED: u8 = 0;
/// `publish_status`: the account deleted all of it.
const DELETED: u8 = 5;

/// A draft that was published.
#[derive(Debug)]
pub struct Published {
    /// Its articles, with the article id as the name of their pages.
    pub news: News,
    publish_id: u64,
}

impl Published {
    /// The page of each article under its number, from 1.
    fn detail(&self, base_url: &str) -> Value {
        let page = |index| json!({ "idx": index + 1, "article_url": self.news.page(base_url, index) });
        let item: Vec<Value> = (0..self.news.articles.len()).map(page).collect();
        json!({ "count": item.len(), "item": item })
    }

    /// The articles as the lists have them.
    fn items(&self, base_url: &str, text: bool) -> Vec<Value> {
        let articles = self.news.articles.iter().enumerate();
        let one = |(index, article): (usize, &super::Article)| {
            let item = article.described(base_url, &self.news.page(base_url, index), text);
            with(item, "is_deleted", article.is_deleted)
        };
        articles.map(one).collect()
    }

    /// What the event tells.
    fn result(&self, base_url: &str) -> Value {
        let info = json!({
            "publish_id": self.publish_id,
            "publish_status": PUBLISHED,
            "article_id": self.news.page_id,
            "article_detail": self.detail(base_url),
        });
        json!({ "PublishEventInfo": info })
    }
}

/// `POST /cgi-bin/freepublish/submit?access_token=…`: the draft leaves the box, and an event tells that it is public.
pub fn submit(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let state = &mut *call.state;
    let mut news = state.drafts.take(batch::media_id(&asked)?)?;
    news.page_id = ids::media_id();
    news.updated_s = call.now_ms / 1000;
    let publish_id = FIRST_JOB + u64::try_from(state.drafts.published.len()).unwrap_or_default();
    let published = Published { news, publish_id };
    let result = published.result(&state.base_url);
    state.drafts.published.push(published);
    call.push(PLATFORM, "PUBLISHJOBFINISH", result);
    let id = publish_id.to_string();
    Ok(ok_with(json!({ "publish_id": id, "msg_data_id": id })))
}

/// `POST /cgi-bin/freepublish/get?access_token=…`
pub fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = number(&asked, "publish_id").ok_or(PUBLISH_ID)?;
    let mut all = call.state.drafts.published.iter();
    let published = all.find(|published| published.publish_id == id).ok_or(PUBLISH_ID)?;
    let answer = json!({
        "publish_id": id.to_string(),
        "publish_status": if published.news.is_there() { PUBLISHED } else { DELETED },
        "fail_idx": [],
    });
    if !published.news.is_there() {
        return Ok(ApiReply::Json(answer));
    }
    let detail = published.detail(&call.state.base_url);
    let answer = with(answer, "article_id", published.news.page_id.as_str());
    Ok(ApiReply::Json(with(answer, "article_detail", detail)))
}

/// `POST /cgi-bin/freepublish/batchget?access_token=…`
pub fn batch_get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let text = number(&asked, "no_content") != Some(1);
    let base_url = &call.state.base_url;
    let there: Vec<_> =
        call.state.drafts.published.iter().filter(|published| published.news.is_there()).collect();
    let describe = |published: &&Published| {
        let News { page_id, updated_s, .. } = &published.news;
        let content = json!({ "news_item": published.items(base_url, text) });
        json!({ "article_id": page_id, "content": content, "update_time": updated_s })
    };
    Ok(Page::read(&asked)?.answer(&there, describe))
}

/// `POST /cgi-bin/freepublish/getarticle?access_token=…`
pub fn get_article(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let base_url = call.state.base_url.clone();
    let items = find(call, text(&asked, "article_id"))?.items(&base_url, true);
    Ok(ApiReply::Json(json!({ "news_item": items })))
}

/// `POST /cgi-bin/freepublish/delete?access_token=…`: `index` counts from 1; all articles go without it, or with 0.
pub fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let index = number(&asked, "index").unwrap_or_default();
    find(call, text(&asked, "article_id"))?.news.delete(index)?;
    Ok(done())
}

fn find<'a>(call: &'a mut Call<'_>, article_id: &str) -> Result<&'a mut Published, Errcode> {
    let mut all = call.state.drafts.published.iter_mut();
    all.find(|published| published.news.page_id == article_id && published.news.is_there()).ok_or(ARTICLE_ID)
}
