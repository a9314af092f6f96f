//! wx-sim: a WeChat on your own desk.
//!
//! One server plays three parts: the WeChat client and its servers that push messages to a callback URL, the API at
//! `api.weixin.qq.com`, and the model behind a chatbot. It works with any backend, in any language.
//!
//! - `push`: a message is written, sealed, delivered up to three times, and the answer is judged.
//! - `phone`: how messages look to the user.
//! - `mini_app`: the account's Mini Program, as it runs in people's phones.
//! - `platform`: the stand-in for `api.weixin.qq.com`.
//! - `web`: the pages at `open.weixin.qq.com`, `/sns`, and the browser inside the phone.
//! - `model`: the stand-in for the model, behind OpenAI's protocol and Cloudflare's `AI` binding.
//! - `page`: all of that to see and to click.
//! - `control`: the API under `/_sim` by which tests, scripts and the command line give orders.
//! - `state`, `people`, `clock`: what is remembered; `server`, `http`: the network.
//! - `scenario`: what people do and what must come of it, as files; `recorder` writes such files, `seed` is what is
//!   there before.
//! - `cli`: the command line.
//! - `manage`: another program, `wx`: the account's management by the Worker's admin API.
//!
//! The protocol itself comes from `wxapi::wechat`, the same code that the Worker uses. So the simulator is no judge
//! of that code: vectors made by others and independent implementations are.

mod account;
mod articles;
mod capture;
mod chat;
pub mod cli;
mod clock;
mod control;
mod http;
mod ids;
mod journal;
mod lang;
mod ledger;
mod load;
mod log;
pub mod manage;
mod mini_app;
mod model;
mod multipart;
mod network;
mod page;
mod people;
mod phone;
mod platform;
mod playtime;
mod push;
mod query;
mod recorder;
mod revision;
mod scenario;
mod secrets;
mod seed;
mod server;
mod sniff;
mod state;
mod verify;
mod web;

pub use account::{Account, SettingsError};
pub use http::{Target, TargetError};
pub use platform::AccountType;
pub use server::serve;
pub use state::{Options, Sim};
