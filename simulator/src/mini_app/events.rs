//! The stream of events in which an answer comes, read as the bytes come, and folded for the journal.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use serde_json::{Value, json};

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Where to go on after it; empty if it has none.
    pub id: String,
    /// Its data, as JSON; null if it is none.
    pub data: Value,
}

impl Event {
    /// What it says that it is.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// A text of its data; empty without it.
    pub fn text(&self, name: &str) -> &str {
        self.data.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Makes events of bytes. Lines end as any system ends them, and a character may come in two pieces.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    id: String,
    data: Vec<String>,
}

impl Reader {
    /// The events that are whole with these bytes.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let rest = self.bytes.split_off(end + 1);
            let line = std::mem::replace(&mut self.bytes, rest);
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            events.extend(self.line(&line));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => value.clone_into(&mut self.id),
            "data" => self.data.push(value.to_owned()),
            "" if line.is_empty() && !self.data.is_empty() => {
                let data = std::mem::take(&mut self.data).join("\n");
                let data = serde_json::from_str(&data).unwrap_or_default();
                return Some(Event { id: self.id.clone(), data });
            }
            _ => {}
        }
        None
    }
}

/// Events as the journal keeps them: those that only add a piece become one.
#[derive(Debug, Default)]
pub struct Folded {
    text: String,
    last: Event,
    pieces: u32,
}

impl Folded {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        if event.kind() == "delta" {
            let whole = format!("{}{}", self.last.text("delta"), event.text("delta"));
            self.last = event.clone();
            if let Some(delta) = self.last.data.get_mut("delta") {
                *delta = json!(whole);
            }
            self.pieces += 1;
            return;
        }
        self.flush();
        self.write(event);
    }

    /// All of them.
    pub fn finish(mut self) -> String {
        self.flush();
        self.text
    }

    fn flush(&mut self) {
        if self.pieces > 0 {
            let pieces = std::mem::take(&mut self.pieces);
            let event = std::mem::take(&mut self.last);
            self.text += &format!(": {pieces} pieces, here in one\n");
            self.write(&event);
        }
    }

    fn write(&mut self, event: &Event) {
        if !event.id.is_empty() {
            self.text += &format!("id: {}\n", event.id);
        }
        self.text += &format!("event: {}\ndata: {}\n\n", event.kind(), event.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\r\nid: 1\nevent: begin\ndata: {\"type\":\"begin\"}\n\nid: 2\nevent: delta\ndata: {\"type\":\"delta\",\"delta\":\"你\"}\n\ndata:{\"type\":\"delta\",\ndata: \"delta\":\"好😀\"}\n\nevent: x\n\n";

    #[test]
    fn events_come_whole_however_the_bytes_are_cut() {
        let whole = Reader::default().read(STREAM.as_bytes());
        let said: Vec<_> =
            whole.iter().map(|event| (event.id.as_str(), event.kind(), event.text("delta"))).collect();
        assert_eq!(said, [("1", "begin", ""), ("2", "delta", "你"), ("2", "delta", "好😀")]);
        for size in 1..7 {
            let mut reader = Reader::default();
            let events: Vec<_> =
                STREAM.as_bytes().chunks(size).flat_map(|chunk| reader.read(chunk)).collect();
            assert_eq!(events, whole, "{size}");
        }
    }

    #[test]
    fn pieces_are_folded() {
        let mut folded = Folded::default();
        Reader::default().read(STREAM.as_bytes()).iter().for_each(|event| folded.add(event));
        folded.add(&Event { id: "3".to_owned(), data: json!({ "type": "done", "reply": "你好😀" }) });
        let text = folded.finish();
        assert_eq!(text.matches("event: delta").count(), 1, "{text}");
        assert!(text.contains(": 2 pieces") && text.contains(r#""delta":"你好😀""#), "{text}");
        assert!(text.ends_with("event: done\ndata: {\"reply\":\"你好😀\",\"type\":\"done\"}\n\n"), "{text}");
    }
}
