//! Requests as a client of old sends them, byte for byte: any header, also an empty one.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::wait::PATIENCE;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn list(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(list) => list,
            other => panic!("not a bare array: {other}"),
        }
    }

    /// This status and a body that suits it: none after 204, the one form of every refusal.
    pub fn check(self, status: u16, what: &str) -> Self {
        assert_eq!(self.status, status, "{what}: {self:?}");
        match status {
            204 => assert_eq!(self.text, "", "{what}"),
            400.. => {
                let body = self.json();
                assert!(body["code"].is_string() && body["message"].is_string(), "{what}: {body}");
            }
            _ => assert!(self.head.contains("\r\ncontent-type: application/json"), "{what}: {self:?}"),
        }
        self
    }
}

/// Somebody, with the headers that they send.
#[derive(Clone)]
pub struct Sender {
    address: String,
    headers: String,
}

impl Sender {
    pub fn nobody(url: &str) -> Self {
        Self { address: url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned(), headers: String::new() }
    }

    pub fn header(&self, name: &str, value: &str) -> Self {
        Self { address: self.address.clone(), headers: format!("{}{name}: {value}\r\n", self.headers) }
    }

    /// As clients of the original identify themselves.
    pub fn original(&self, username: &str, token: &str) -> Self {
        self.header("X-Access-Token", &format!("{username}:{token}"))
    }

    pub fn bearer(&self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// The token that a password gives.
    pub fn log_in(&self, username: &str, password: &str) -> String {
        let body = json!({ "username": username, "password": password });
        let answer = self.send("POST", "/auth/login", &body).check(200, "log-in");
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str) -> Answer {
        self.send("POST", path, &Value::Null)
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{}Content-Length: {length}\r\n\r\n",
            self.address, self.headers
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, text) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_ascii_lowercase(), text: text.to_owned() }
    }
}
