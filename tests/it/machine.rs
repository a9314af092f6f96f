//! The reply machine under random interleavings of deliveries, answers, crashes and commands:
//! one model call per message and life, no answer lost, never two different replies to one message.

use std::collections::HashMap;

use proptest::prelude::*;
use wxapi::chat::rule::Book;
use wxapi::chat::state::{Conversation, Job, Question};
use wxapi::chat::text::Texts;
use wxapi::chat::turn::{Outcome, Rules, STARTS, Ticket};
use wxapi::lang::Lang;
use wxapi::wechat::callback::SUCCESS;
use wxapi::wechat::message::Inbound;
use wxapi::wechat::xml::parse_xml;

/// One thing that can happen.
#[derive(Clone, Debug)]
enum Happening {
    /// A new question is delivered.
    Ask,
    /// A message is delivered again (the n-th of those sent so far).
    Again(usize),
    /// The user fetches an answer.
    Retrieve,
    /// The user begins a new conversation.
    New,
    /// The model answers one of the running jobs.
    Answer(usize),
    /// The window of a waiting delivery closes.
    WindowCloses(usize),
    /// The object dies and comes back with what was stored.
    Crash,
    /// Time passes, less than what makes anything expire.
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Ask),
        3 => (0usize..20).prop_map(Happening::Again),
        2 => Just(Happening::Retrieve),
        1 => Just(Happening::New),
        3 => (0usize..4).prop_map(Happening::Answer),
        3 => (0usize..8).prop_map(Happening::WindowCloses),
        1 => Just(Happening::Crash),
        2 => (0u64..900).prop_map(Happening::Wait),
    ]
}

/// A user, the object, and a record of what everybody saw.
struct Play {
    state: Conversation,
    rules: Rules,
    now: u64,
    messages: Vec<String>,
    waiting: Vec<(usize, Ticket)>,
    /// Reply documents by message.
    replies: HashMap<usize, String>,
    /// Every text that the user was shown.
    shown: Vec<String>,
    /// Model calls by job and life of the object.
    calls: HashMap<(u32, u32), usize>,
    life: u32,
    accepted: Vec<String>,
}

impl Play {
    fn new() -> Self {
        let texts = Texts { lang: Lang::En, retrieve: "/retrieve".to_owned(), typed: false };
        Self {
            state: Conversation::default(),
            rules: Rules { texts, timeout: 300_000, rate_limit: 1_000, push: false },
            now: 1_700_000_000_000,
            messages: Vec::new(),
            waiting: Vec::new(),
            replies: HashMap::new(),
            shown: Vec::new(),
            calls: HashMap::new(),
            life: 0,
            accepted: Vec::new(),
        }
    }

    fn deliver(&mut self, message: usize) {
        let inbound = Inbound::parse(&self.messages[message]).unwrap();
        let before = self.state.last_job;
        match self.state.accept(&inbound, self.now, &self.rules, &Book::default(), &mut None) {
            Outcome::Reply(reply) => self.replied(message, reply),
            Outcome::Wait(ticket) => self.waiting.push((message, ticket)),
        }
        if self.state.last_job != before {
            self.accepted.push(format!("question {message}"));
            *self.calls.entry((self.state.last_job, self.life)).or_default() += 1;
        }
    }

    fn send(&mut self, content: &str) {
        let id = self.messages.len();
        self.messages.push(format!(
            "<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><CreateTime>{}</CreateTime><MsgType>text</MsgType><Content>{content}</Content><MsgId>{id}</MsgId></xml>",
            self.now / 1_000
        ));
        self.deliver(id);
    }

    /// A message got a reply: the same one as before, if it ever got one.
    fn replied(&mut self, message: usize, reply: String) {
        // Nothing is shown: its answer was fetched by hand and made room since.
        if reply == SUCCESS {
            return;
        }
        if let Some(earlier) = self.replies.get(&message) {
            assert_eq!(*earlier, reply, "two different replies to message {message}");
            return;
        }
        self.shown.push(parse_xml(&reply).unwrap().get("Content").unwrap().to_owned());
        self.replies.insert(message, reply);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Ask => self.send(&format!("question {}", self.messages.len())),
            Happening::Retrieve => self.send("/retrieve"),
            Happening::New => self.send("/new"),
            // WeChat repeats a message for some fifteen seconds, well within a minute.
            Happening::Again(n) if !self.messages.is_empty() => self.deliver(n % self.messages.len()),
            Happening::Answer(n) => self.answer(n),
            Happening::WindowCloses(n) if !self.waiting.is_empty() => {
                let (message, ticket) = self.waiting.swap_remove(n % self.waiting.len());
                if let Some(reply) = self.state.window_closed(&ticket, self.now, &self.rules) {
                    self.replied(message, reply);
                }
            }
            Happening::Crash => self.crash(),
            Happening::Wait(span) => self.now += span,
            Happening::Again(_) | Happening::WindowCloses(_) => {}
        }
    }

    fn answer(&mut self, n: usize) {
        let asked = |job: &Job| match &job.question {
            Some(Question::Text(text)) => (job.id, text.clone()),
            other => panic!("nobody asked {other:?}"),
        };
        let running: Vec<(u32, String)> = self.state.running().map(asked).collect();
        let Some((job, question)) = running.get(n % running.len().max(1)) else { return };
        let answer = format!("Answer to {question}.");
        assert!(self.state.answered(*job, &answer, Some(question), self.now, &self.rules));
        assert!(!self.state.answered(*job, "another answer", None, self.now, &self.rules));
        let (mine, others) = std::mem::take(&mut self.waiting).into_iter().partition(|(_, t)| t.job == *job);
        self.waiting = others;
        let mine: Vec<(usize, Ticket)> = mine;
        for (message, ticket) in mine {
            let reply = self.state.take(&ticket, self.now, &self.rules).expect("the job is answered");
            self.replied(message, reply);
        }
    }

    fn crash(&mut self) {
        self.state = Conversation::from_json(&self.state.to_json()).unwrap();
        self.waiting.clear();
        self.life += 1;
        for job in self.state.running() {
            *self.calls.entry((job.id, self.life)).or_default() += 1;
        }
    }

    /// Everything comes to an end: jobs are answered, the user fetches until nothing is left.
    fn finish(&mut self) {
        while self.state.running().next().is_some() {
            self.answer(0);
        }
        for _ in 0..=self.accepted.len() {
            self.now += 1_000;
            self.send("/retrieve");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn one_model_call_no_answer_lost_one_reply(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut play = Play::new();
        for happening in happenings {
            play.happen(happening);
        }
        play.finish();
        let mut asked = play.accepted.clone();
        asked.sort();
        asked.dedup();
        prop_assert_eq!(asked.len(), play.accepted.len(), "a message was asked twice: {:?}", play.accepted);
        for (job, calls) in &play.calls {
            prop_assert_eq!(*calls, 1, "job and life {:?}", job);
        }
        for question in &play.accepted {
            let answer = format!("Answer to {question}.");
            prop_assert!(play.shown.iter().any(|shown| shown.contains(&answer)), "lost: {}", answer);
        }
    }
}

#[test]
fn a_stored_job_counts_the_lives_that_worked_on_it() {
    let mut play = Play::new();
    play.send("question 0");
    for life in 1..=STARTS {
        assert_eq!(play.state.running().next().unwrap().starts, life);
        play.crash();
    }
}
