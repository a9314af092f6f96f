//! `wx-sim click` and `wx-sim scan`: a tap on a menu button, and a look at a QR code.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::send::{Delivery, base64_of, parse_location};
use super::{Ending, Trouble, Voice};
use crate::control::click::{Button, ClickRequest};
use crate::control::send::SendRequest;
use crate::push::message::Location;

/// Which button is tapped.
#[derive(Debug, Args)]
pub struct Click {
    /// The button: its name, its key, or its places counted from 1, as 2.1
    button: String,
    /// What the code says, for a button that scans
    #[arg(long, value_name = "TEXT")]
    scan_result: Option<String>,
    /// The picture, for a button that sends one
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The place, for a button that sends one
    #[arg(long, value_name = "LAT,LON,LABEL", value_parser = parse_location, allow_hyphen_values = true)]
    location: Option<Location>,
    #[command(flatten)]
    delivery: Delivery,
}

/// What is scanned.
#[derive(Debug, Args)]
pub struct Scan {
    /// What the code says, its ticket, or its scene
    code: String,
    #[command(flatten)]
    delivery: Delivery,
}

impl Click {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let what = format!("[{}] {}", voice.lang.pick("菜单", "menu"), self.button);
        let request = ClickRequest {
            person: Some(self.delivery.person.clone()),
            button: Button::Named(self.button),
            scan_result: self.scan_result,
            image: self.image.as_deref().map(base64_of).transpose()?,
            location: self.location,
            mode: self.delivery.mode,
            target: self.delivery.target.as_ref().map(ToString::to_string),
        };
        self.delivery.tap("/_sim/click", &request, &what, voice).await
    }
}

impl Scan {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let what = format!("[{}] {}", voice.lang.pick("扫一扫", "scan"), self.code);
        let mut request = json!(SendRequest {
            person: Some(self.delivery.person.clone()),
            mode: self.delivery.mode,
            target: self.delivery.target.as_ref().map(ToString::to_string),
            ..SendRequest::default()
        });
        request.as_object_mut().into_iter().for_each(|members| {
            members.insert("code".to_owned(), json!(self.code));
        });
        self.delivery.tap("/_sim/scan", &request, &what, voice).await
    }
}
