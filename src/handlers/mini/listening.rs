//! Who is told of an answer while the model writes it.

use futures_channel::oneshot;
use serde_json::Value;

use super::call::NOT_ALLOWED;
use crate::chat::live::{Change, Live};
use crate::json::{Put, json};

/// What listeners are told.
pub enum News<'a> {
    /// Something happened.
    Event(&'a Event),
    /// Nothing happened for a while; whoever is between would think the connection dead.
    Nothing,
}

/// Takes news; `false` if whoever listened is gone.
pub type Listener = Box<dyn Fn(&News<'_>) -> bool>;

/// Something that happened to an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `begin`, `delta`, `replace`, `done` or `error`.
    pub kind: &'static str,
    /// By which somebody who comes back says how far they got.
    pub id: String,
    /// The conversation, and what happened.
    pub body: Value,
    /// Of an `error`, the status that it would have as a response: nobody but a WebSocket needs to be told.
    pub status: u16,
}

impl Event {
    /// An event in the conversation `thread`; `name` says what `value` is.
    pub fn new(kind: &'static str, id: String, thread: &str, name: &'static str, value: Value) -> Self {
        let mut body = json!({ "type": kind, "conversation_id": thread });
        if let Value::Object(body) = &mut body
            && !name.is_empty()
        {
            body.put(name, value);
        }
        Self { kind, id, body, status: 0 }
    }

    /// That the answer is whole.
    pub fn done(id: String, thread: &str, reply: &str, tokens: u64) -> Self {
        let mut event = Self::new("done", id, thread, "reply", json!(reply));
        if let Value::Object(body) = &mut event.body {
            body.put("tokens_used", json!(tokens));
        }
        event
    }

    /// That there will be no answer.
    pub fn failed(id: String, thread: &str) -> Self {
        let event = Self::new("error", id, thread, "error", json!("Service temporarily unavailable"));
        Self { status: 500, ..event }
    }

    /// That the question gets no answer.
    pub fn refused(id: String, thread: &str) -> Self {
        Self { status: 400, ..Self::new("error", id, thread, "error", json!(NOT_ALLOWED)) }
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self.kind, "done" | "error")
    }

    /// As a server-sent event.
    /// <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>
    pub fn to_sse(&self) -> String {
        let data = crate::json::text(&self.body);
        ["id: ", &self.id, "\nevent: ", self.kind, "\ndata: ", &data, "\n\n"].concat()
    }

    /// As a message of a WebSocket; `message` is the client's own name for what it said.
    pub fn to_message(&self, message: &str) -> String {
        let mut body = self.body.clone();
        if let Value::Object(body) = &mut body {
            body.put("id", json!(self.id));
            if self.status > 0 {
                body.put("status", json!(self.status));
            }
            if !message.is_empty() {
                body.put("message_id", json!(message));
            }
        }
        crate::json::text(&body)
    }
}

/// An answer on its way, and who listens.
pub struct Running {
    /// The conversation.
    pub thread: String,
    /// The number of the exchange in it.
    pub n: u32,
    /// Names this life of it, because another one writes another text.
    life: String,
    live: Live,
    listeners: Vec<Listener>,
    /// Dropped with the rest: then whoever beats time stops.
    beat: Option<oneshot::Sender<()>>,
}

impl Running {
    /// Nobody listens yet.
    pub fn new(thread: &str, n: u32, random: [u8; 16]) -> Self {
        let (live, listeners, beat) = Default::default();
        let [a, b, c, d, ..] = random;
        Self { thread: thread.to_owned(), n, life: hex::encode([a, b, c, d]), live, listeners, beat }
    }

    fn id(&self) -> String {
        self.id_of(self.live.place())
    }

    fn id_of(&self, (edition, bytes): (u32, usize)) -> String {
        [&self.n.to_string(), ".", &self.life, ".", &edition.to_string(), ".", &bytes.to_string()].concat()
    }

    /// One more listens. They are told that it has begun, and what they lack: since the event `last`, if they say so.
    pub fn listen(&mut self, listener: Listener, last: Option<&str>) {
        // Of another life they may have shown anything.
        let place = last.map_or((0, 0), |last| self.place(last).unwrap_or((u32::MAX, 0)));
        // Whoever is cut off after the first event still lacks what follows it.
        let begin = Event::new("begin", self.id_of(place), &self.thread, "", Value::Null);
        let event = self.live.since(place).map(|change| self.event(change));
        let here = listener(&News::Event(&begin)) && event.is_none_or(|event| listener(&News::Event(&event)));
        if here {
            self.listeners.push(listener);
        }
    }

    /// How far somebody is who got the event `last`; `None` if that was of another life.
    fn place(&self, last: &str) -> Option<(u32, usize)> {
        let mut parts = last.split('.');
        let ours = parts.next()? == self.n.to_string() && parts.next()? == self.life;
        let place = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        ours.then_some(place)
    }

    /// Somebody who beats time is needed from now on: what they wait for to stop.
    pub fn needs_beat(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.beat.is_some() {
            return None;
        }
        let (beat, over) = oneshot::channel();
        self.beat = Some(beat);
        Some(over)
    }

    /// The model begins, perhaps anew.
    pub fn begin(&mut self) {
        self.live.restart();
    }

    /// The model has written so much.
    pub fn write(&mut self, output: &str) {
        if let Some(change) = self.live.feed(output) {
            self.tell(&self.event(change));
        }
    }

    /// The answer is whole.
    pub fn settle(&mut self, reply: &str, tokens: u64) {
        if let Some(change) = self.live.settle(reply) {
            self.tell(&self.event(change));
        }
        self.tell(&Event::done(self.id(), &self.thread, reply, tokens));
    }

    /// There will be no answer.
    pub fn fail(&mut self) {
        self.tell(&Event::failed(self.id(), &self.thread));
    }

    /// The question gets no answer.
    pub fn refuse(&mut self) {
        self.tell(&Event::refused(self.id(), &self.thread));
    }

    /// Nothing happened for a while.
    pub fn beat(&mut self) {
        self.listeners.retain(|listener| listener(&News::Nothing));
    }

    fn event(&self, change: Change) -> Event {
        match change {
            Change::More(text) => Event::new("delta", self.id(), &self.thread, "delta", json!(text)),
            Change::Anew(text) => Event::new("replace", self.id(), &self.thread, "text", json!(text)),
        }
    }

    fn tell(&mut self, event: &Event) {
        self.listeners.retain(|listener| listener(&News::Event(event)));
    }
}
