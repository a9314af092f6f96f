//! Events: what happened to the account, its menu, its jobs and its users.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html>

mod job;
mod notice;

pub use job::{
    ArticleUrl, CopyrightArticle, CopyrightCheck, MassSendJob, MassSendStatus, PublishJob, PublishStatus,
    TemplateSendStatus,
};
pub use notice::{
    AuthorizationChange, MediaCheck, MediaCheckDetail, MediaVerdict, SubscriptionChange, SubscriptionPopup,
    SubscriptionSent,
};

use super::MsgId;
use super::xml::Fields;

/// Every event this project knows, under WeChat's names; the others keep their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user follows the account.
    Subscribe {
        /// What led them here.
        source: SubscribeSource,
        /// The ticket of the parametric QR code.
        ticket: Option<String>,
    },
    /// A user stopped following: their data must be deleted. No reply is shown.
    Unsubscribe,
    /// A follower scanned a parametric QR code.
    Scan {
        /// The scene, as given when the code was made.
        scene: String,
        /// The code's ticket.
        ticket: Option<String>,
    },
    /// The user's position, where the account asks for it. No reply is shown.
    Location {
        /// Degrees, kept as text.
        latitude: String,
        /// Degrees, kept as text.
        longitude: String,
        /// Metres, kept as text.
        precision: String,
    },
    /// A `click` menu button.
    Click {
        /// The button's key.
        key: String,
    },
    /// A `view` menu button.
    View {
        /// The page it opened.
        url: String,
        /// The conditional menu it belongs to.
        menu_id: Option<String>,
    },
    /// A `scancode_push` or `scancode_waitmsg` menu button.
    ScanCode {
        /// The button's key.
        key: String,
        /// `scancode_waitmsg`: the user sees "receiving" until the reply comes.
        waits: bool,
        /// `qrcode`, `barcode`, …
        scan_type: String,
        /// What the code said.
        scan_result: String,
    },
    /// A picture button; the pictures follow as ordinary messages.
    Pictures {
        /// The button's key.
        key: String,
        /// Which of the three buttons.
        source: PictureSource,
        /// How many, as WeChat counts; the list may disagree.
        count: u32,
        /// MD5 of each picture.
        md5_sums: Vec<String>,
    },
    /// A `location_select` menu button; a location message may follow.
    LocationSelect {
        /// The button's key.
        key: String,
        /// `Location_X`, kept as text.
        latitude: String,
        /// `Location_Y`, kept as text.
        longitude: String,
        /// The map's zoom.
        scale: String,
        /// The address.
        label: String,
        /// The place's name; may be empty.
        poi_name: String,
    },
    /// A `miniprogram` menu button.
    ViewMiniProgram {
        /// The page it opened.
        page_path: String,
        /// The conditional menu it belongs to.
        menu_id: Option<String>,
    },
    /// A mass message was sent.
    MassSendJobFinish(Box<MassSendJob>),
    /// A template message was sent.
    TemplateSendJobFinish {
        /// The number that template/send returned.
        msg_id: Option<MsgId>,
        /// What became of it.
        status: TemplateSendStatus,
    },
    /// A draft was published.
    PublishJobFinish(PublishJob),
    /// The user answered subscription requests.
    SubscribeMsgPopup(Vec<SubscriptionPopup>),
    /// The user changed subscriptions in WeChat's settings.
    SubscribeMsgChange(Vec<SubscriptionChange>),
    /// Subscription messages were sent, or failed late.
    SubscribeMsgSent(Vec<SubscriptionSent>),
    /// The account's qualification was verified.
    QualificationVerifySuccess {
        /// Until when, in Unix seconds.
        expired_time: u64,
    },
    /// The account's qualification was refused.
    QualificationVerifyFail {
        /// When, in Unix seconds.
        fail_time: u64,
        /// Why, for people.
        fail_reason: String,
    },
    /// The account's name was verified.
    NamingVerifySuccess {
        /// Until when, in Unix seconds.
        expired_time: u64,
    },
    /// The account's name was refused.
    NamingVerifyFail {
        /// When, in Unix seconds.
        fail_time: u64,
        /// Why, for people.
        fail_reason: String,
    },
    /// The yearly verification is due.
    AnnualRenew {
        /// By when, in Unix seconds.
        expired_time: u64,
    },
    /// The verification ran out.
    VerifyExpired {
        /// When, in Unix seconds.
        expired_time: u64,
    },
    /// A human agent took the conversation.
    KfCreateSession {
        /// The agent.
        kf_account: String,
    },
    /// A human agent's conversation ended.
    KfCloseSession {
        /// The agent.
        kf_account: String,
        /// How it ended, where WeChat says so.
        close_type: Option<String>,
    },
    /// The conversation moved to another agent.
    KfSwitchSession {
        /// The previous agent.
        from_kf_account: String,
        /// The new agent.
        to_kf_account: String,
    },
    /// A user changed personal data that they had shared: refresh or clear it.
    UserInfoModified(AuthorizationChange),
    /// A user took back a permission: delete what it gave.
    UserAuthorizationRevoke(AuthorizationChange),
    /// A user closed their WeChat account: delete their data.
    UserAuthorizationCancellation(AuthorizationChange),
    /// A user opened the Mini Program's customer-service chat.
    UserEnterTempSession {
        /// What the button passed along.
        session_from: String,
    },
    /// The result of an asynchronous content check.
    WxaMediaCheck(MediaCheck),
    /// Anything else: cards, shops, invoices, and what WeChat adds tomorrow. Answer `success`.
    Other {
        /// The event's name as received.
        name: String,
    },
}

/// What led a user to follow the account: the prefix of `EventKey`, taken off exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeSource {
    /// Search, name card, …: no key.
    Plain,
    /// A parametric QR code with this scene.
    QrScene(String),
    /// A payment with this transaction number.
    LastTradeNo(String),
    /// A scanned product code.
    ScanBarcode {
        /// The code's standard.
        standard: String,
        /// The code.
        key: String,
    },
    /// A scanned product picture.
    ScanImage {
        /// The code's standard.
        standard: String,
        /// The code.
        key: String,
    },
    /// A key with a prefix that we do not know.
    Other(String),
}

/// The three picture buttons of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSource {
    /// `pic_sysphoto`: the camera.
    SysPhoto,
    /// `pic_photo_or_album`: camera or album.
    PhotoOrAlbum,
    /// `pic_weixin`: WeChat's album.
    Weixin,
}

impl Event {
    /// Reads an event. Names compare without case, because WeChat's own spelling has varied.
    pub fn from_fields(fields: &Fields) -> Self {
        let name = fields.get("Event").unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        account(&lower, fields)
            .or_else(|| menu(&lower, fields))
            .or_else(|| job::read(&lower, fields))
            .or_else(|| notice::read(&lower, fields))
            .unwrap_or_else(|| Self::Other { name: name.to_owned() })
    }
}

fn account(name: &str, fields: &Fields) -> Option<Event> {
    Some(match name {
        "subscribe" => Event::Subscribe {
            source: subscribe_source(fields.get("EventKey").unwrap_or_default()),
            ticket: fields.optional("Ticket"),
        },
        "unsubscribe" => Event::Unsubscribe,
        "scan" => Event::Scan { scene: fields.owned("EventKey"), ticket: fields.optional("Ticket") },
        "location" => Event::Location {
            latitude: fields.owned("Latitude"),
            longitude: fields.owned("Longitude"),
            precision: fields.owned("Precision"),
        },
        _ => return None,
    })
}

fn subscribe_source(key: &str) -> SubscribeSource {
    let product = |rest: &str| {
        let (standard, key) = rest.split_once('|')?;
        Some((standard.to_owned(), key.to_owned()))
    };
    if key.is_empty() {
        SubscribeSource::Plain
    } else if let Some(scene) = key.strip_prefix("qrscene_") {
        SubscribeSource::QrScene(scene.to_owned())
    } else if let Some(trade) = key.strip_prefix("last_trade_no_") {
        SubscribeSource::LastTradeNo(trade.to_owned())
    } else if let Some((standard, key)) = key.strip_prefix("scanbarcode|").and_then(product) {
        SubscribeSource::ScanBarcode { standard, key }
    } else if let Some((standard, key)) = key.strip_prefix("scanimage|").and_then(product) {
        SubscribeSource::ScanImage { standard, key }
    } else {
        SubscribeSource::Other(key.to_owned())
    }
}

/// <https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Custom_Menu_Push_Events.html>
fn menu(name: &str, fields: &Fields) -> Option<Event> {
    let key = || fields.owned("EventKey");
    let menu_id = || fields.optional("MenuId");
    Some(match name {
        "click" => Event::Click { key: key() },
        "view" => Event::View { url: key(), menu_id: menu_id() },
        "view_miniprogram" => Event::ViewMiniProgram { page_path: key(), menu_id: menu_id() },
        "scancode_push" => scan_code(fields, false),
        "scancode_waitmsg" => scan_code(fields, true),
        "pic_sysphoto" => pictures(fields, PictureSource::SysPhoto),
        "pic_photo_or_album" => pictures(fields, PictureSource::PhotoOrAlbum),
        "pic_weixin" => pictures(fields, PictureSource::Weixin),
        "location_select" => location_select(fields),
        _ => return None,
    })
}

fn scan_code(fields: &Fields, waits: bool) -> Event {
    let info = |name| fields.child("ScanCodeInfo").map(|info| info.owned(name)).unwrap_or_default();
    Event::ScanCode {
        key: fields.owned("EventKey"),
        waits,
        scan_type: info("ScanType"),
        scan_result: info("ScanResult"),
    }
}

fn pictures(fields: &Fields, source: PictureSource) -> Event {
    let info = fields.child("SendPicsInfo");
    let md5_sums = info
        .and_then(|info| info.child("PicList"))
        .map(|list| list.children("item").map(|item| item.owned("PicMd5Sum")).collect())
        .unwrap_or_default();
    let count = info.and_then(|info| info.number("Count")).unwrap_or_default();
    Event::Pictures { key: fields.owned("EventKey"), source, count, md5_sums }
}

fn location_select(fields: &Fields) -> Event {
    let info = |name| fields.child("SendLocationInfo").map(|info| info.owned(name)).unwrap_or_default();
    Event::LocationSelect {
        key: fields.owned("EventKey"),
        latitude: info("Location_X"),
        longitude: info("Location_Y"),
        scale: info("Scale"),
        label: info("Label"),
        poi_name: info("Poiname"),
    }
}
