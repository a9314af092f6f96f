//! What an attempt's object can be asked, and what it answers: JSON between objects.

use serde::{Deserialize, Serialize};

use super::{Answer, Confirmer, Failure, Place, Status};
use crate::lang::Lang;
use crate::login::Digest;
use crate::login::method::Method;
use crate::login::request::AuthRequest;
use crate::login::subject::Who;

/// A new attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The name of its object.
    pub id: String,
    /// What the website asked for.
    pub request: AuthRequest,
    /// The browser's handle.
    pub browser: Digest,
    /// Where the browser is.
    pub place: Place,
    /// The methods that it offers, the best first.
    pub methods: Vec<Method>,
    /// The client wants a number typed after a confirmation in the chat.
    pub strict: bool,
    /// The language of the page.
    pub lang: Lang,
}

/// Somebody comes back from another's login page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Where they arrive: at the page for this method, which is also that for [`Method::Qr`] if it is
    /// [`Method::Wechat`].
    pub from: Method,
    /// The phone's handle.
    pub phone: Digest,
    /// The `state` that came back.
    pub state: Digest,
    /// The `code` that came back; `None` if the person said no there.
    pub code: Option<String>,
    /// The address that they came back to, which some ask to be repeated.
    pub redirect_uri: String,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Begin. Answer: [`Reply::Done`].
    Open(Box<Opening>),
    /// What the page shows by this method, which is made ready; by the first one if `None`.
    /// Answer: [`Reply::View`].
    Show {
        /// The browser's handle.
        browser: Digest,
        /// The method to show.
        method: Option<Method>,
        /// The page's language from now on.
        lang: Option<Lang>,
    },
    /// How far it is; nothing changes by it. Answer: [`Reply::Status`].
    Status {
        /// The browser's handle.
        browser: Digest,
    },
    /// A phone has opened the QR code. Answer: [`Reply::Done`].
    Scan {
        /// What the QR code said.
        token: String,
        /// The handle that this phone will have.
        phone: Digest,
    },
    /// Somebody goes to another's login page. The phone that scanned may; so may the browser itself, which then is
    /// the phone. Answer: [`Reply::Departing`].
    Depart {
        /// Whose page.
        to: Method,
        /// The browser's handle, if it is the browser that goes.
        browser: Option<Digest>,
        /// The phone's handle.
        phone: Digest,
        /// `state` of the request.
        state: Digest,
    },
    /// Somebody comes back. Answer: [`Reply::Arrived`].
    Arrive(Arrival),
    /// What the page asks before a confirmation. Answer: [`Reply::Consent`].
    Consent {
        /// The phone's handle.
        phone: Digest,
    },
    /// Yes. Answer: [`Reply::Done`].
    Confirm {
        /// Who says so.
        by: Confirmer,
        /// The number that they chose, where one is needed.
        number: Option<u8>,
    },
    /// No. Answer: [`Reply::Done`].
    Deny {
        /// Who says so.
        by: Confirmer,
    },
    /// A message in the chat shows who somebody is. Answer: [`Reply::Claimed`].
    Claim {
        /// Who.
        who: Who,
        /// What they did: sent the code, or scanned.
        by: Method,
        /// What the QR code said, if they scanned.
        token: Option<String>,
    },
    /// The browser brought the code that somebody got in the chat. Answer: [`Reply::Done`].
    Typed {
        /// The browser's handle.
        browser: Digest,
        /// Whose code it was; `None` if it was nobody's, which counts as a try.
        who: Option<Who>,
    },
    /// The browser brought the number of strict mode. Answer: [`Reply::Done`].
    Number {
        /// The browser's handle.
        browser: Digest,
        /// The number.
        number: u8,
    },
    /// The browser takes the result. Answer: [`Reply::Finished`].
    Finish {
        /// The browser's handle.
        browser: Digest,
        /// The code that it will hand to the website.
        code: Digest,
    },
    /// The website redeems a code. Answer: [`Reply::Finished`].
    Redeem {
        /// The code.
        code: Digest,
        /// The client, authenticated if it has a secret.
        client: String,
        /// `redirect_uri` of the token request.
        redirect_uri: Option<String>,
        /// `code_verifier` of the token request.
        verifier: Option<String>,
    },
    /// The person takes it back. Answer: [`Reply::Done`].
    Revoke {
        /// Who says so.
        who: Who,
    },
    /// Whether what was issued still counts. Answer: [`Reply::Standing`].
    Standing,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done.
    Done,
    /// What the page shows, and what the website asked for.
    View(Box<View>, Box<AuthRequest>),
    /// How far it is.
    Status(Status),
    /// Somebody may go.
    Departing {
        /// The website wants name and picture too.
        profile: bool,
    },
    /// What came of somebody's coming back.
    Arrived {
        /// The method by which they had gone.
        by: Method,
        /// Why it was of no use.
        failure: Option<Failure>,
    },
    /// What the page asks before a confirmation.
    Consent {
        /// What it shows.
        consent: Consent,
        /// The origin that the result goes to.
        site: Option<String>,
        /// When the attempt began, milliseconds.
        began: u64,
    },
    /// What the chat asks before a confirmation.
    Claimed(Claimed),
    /// Where the result goes.
    Finished(Box<Finished>),
    /// Whether what was issued still counts.
    Standing {
        /// It was taken back.
        revoked: bool,
    },
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// There is no such attempt, or it has ended.
    Gone,
    /// The handle is not this attempt's.
    NotYours,
    /// The QR code has ended, or is not this attempt's.
    Stale,
    /// Somebody else was first.
    Taken,
    /// The attempt is not that far, or further.
    NotNow,
    /// `state` did not come from here, or came for the second time.
    State,
    /// The number or the code is wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// The code cannot be redeemed: `invalid_grant`.
    Grant,
    /// The method cannot be shown just now; another may work.
    Unavailable,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The address that begins anew, by the same method.
    pub again: String,
    /// How far it is.
    pub status: Status,
    /// The method that is shown.
    pub method: Method,
    /// The methods that can be chosen.
    pub methods: Vec<Method>,
    /// The token of the QR code, for [`Method::Qr`] and [`Method::Menu`].
    pub token: Option<String>,
    /// What the parametric QR code says, for [`Method::Scene`].
    pub scene: Option<String>,
    /// The digits, for [`Method::Code`].
    pub code: Option<String>,
    /// The two digits; `None` where the chat tells them and the page asks.
    pub number: Option<u8>,
    /// Where the browser is.
    pub place: Place,
    /// The language of the page.
    pub lang: Lang,
    /// Milliseconds until the page ends.
    pub ends_in: u64,
    /// Milliseconds until the page should ask for the next QR code.
    pub rotate_in: Option<u64>,
    /// Tries left, where something is typed.
    pub left: Option<u8>,
    /// Where a form may lead to in the end: the client's origin, or that of `redirect_uri`.
    pub form_target: Option<String>,
    /// The way that was chosen could not be shown, so this is another.
    pub fallen_back: bool,
}

/// What is asked before a confirmation on a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The client's id.
    pub client: String,
    /// Where the browser is.
    pub place: Place,
    /// The numbers to choose from; `None` where phone and browser are the same.
    pub choices: Option<[u8; 3]>,
    /// What the person is called, where that is known.
    pub name: Option<String>,
    /// How far it is: [`Status::Scanned`] if the answer is still awaited.
    pub status: Status,
    /// The method by which the person answered.
    pub by: Method,
}

/// What the chat asks before a confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The client's id.
    pub client: String,
    /// Where the browser is.
    pub place: Place,
    /// The two digits that the page shows.
    pub number: u8,
    /// The numbers to choose from, if the person scanned; whoever sent the code has seen the page.
    pub choices: Option<[u8; 3]>,
    /// After the confirmation the number has to be typed in the browser, so the chat must tell it and the page not.
    pub strict: bool,
}

/// What came of an attempt: for the browser that takes the result to the website, and for the website itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// What the website asked for.
    pub request: AuthRequest,
    /// Who answered, and how.
    pub answer: Answer,
}
