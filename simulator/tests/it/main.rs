//! The simulator over HTTP, with a callback of the test's own as the target; and the command line as a process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail, and here is a clock"
)]

mod autoreply;
mod browser;
mod callback;
mod cli;
mod click;
mod control;
mod delivery;
mod draft;
mod hostile;
mod kf;
mod mass;
mod material;
mod menu;
mod mini;
mod mini_app;
mod mini_push;
mod mini_server;
mod mini_service;
mod model;
mod network;
mod oauth;
mod openapi;
mod page;
mod platform;
mod qrcode;
mod qrconnect;
mod raw;
mod record;
mod run;
mod safety;
mod seed;
mod served;
mod subscribe;
mod subscribemsg;
mod tags;
mod template;
mod users;
mod watch;
mod world;
