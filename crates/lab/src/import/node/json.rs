//! JSON as a tree, as people write it: comments and surplus commas are read over.

use super::{Node, NodeError, Value};

/// How deep lists and maps may lie in one another.
const DEEPEST: usize = 64;

/// Reads JSON; the flag says whether it had comments or commas that JSON has not.
///
/// # Errors
/// If it is not JSON in other ways; with the line.
pub(in super::super) fn read_json(text: &str) -> Result<(Node, bool), NodeError> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, line: 1, lenient: false };
    let node = reader.value(0)?;
    reader.skip();
    if reader.at < reader.bytes.len() {
        reader.fail("something stands behind its end")
    } else {
        Ok((node, reader.lenient))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    lenient: bool,
}

impl Reader<'_> {
    fn fail<T>(&self, what: &str) -> Result<T, NodeError> {
        Err(NodeError { line: self.line, message: format!("this is not JSON: {what}") })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += u32::from(byte == b'\n');
        Some(byte)
    }

    /// Blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = &self.bytes[self.at..];
            if rest.first().is_some_and(u8::is_ascii_whitespace) {
                self.next();
            } else if rest.starts_with(b"//") {
                self.lenient = true;
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.next();
                }
            } else if rest.starts_with(b"/*") {
                self.lenient = true;
                while self.peek().is_some() && !self.bytes[self.at..].starts_with(b"*/") {
                    self.next();
                }
                self.at = (self.at + 2).min(self.bytes.len());
            } else {
                return;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, NodeError> {
        if depth > DEEPEST {
            return self.fail(&format!("more than {DEEPEST} lists and maps in one another"));
        }
        self.skip();
        let line = self.line;
        let value = match self.peek() {
            Some(b'{') => Value::Map(self.map(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'-' => self.word(),
            Some(_) => return self.fail("a value is missing"),
            None => return self.fail("it ends too early"),
        };
        Ok(Node { line, value })
    }

    fn word(&mut self) -> Value {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        match String::from_utf8_lossy(&self.bytes[begin..self.at]).into_owned() {
            word if word == "null" => Value::Null,
            word => Value::Text(word),
        }
    }

    /// Behind an item: whether another one follows.
    fn goes_on(&mut self, end: u8) -> Result<bool, NodeError> {
        self.skip();
        match self.next() {
            Some(b',') => {
                self.skip();
                let surplus = self.peek() == Some(end);
                if surplus {
                    self.lenient = true;
                    self.next();
                }
                Ok(!surplus)
            }
            Some(byte) if byte == end => Ok(false),
            _ => self.fail(&format!("a comma or {} is missing", char::from(end))),
        }
    }

    fn opens(&mut self, end: u8) -> bool {
        self.next();
        self.skip();
        let empty = self.peek() == Some(end);
        if empty {
            self.next();
        }
        !empty
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, NodeError> {
        let mut items = Vec::new();
        let mut more = self.opens(b']');
        while more {
            items.push(self.value(depth + 1)?);
            more = self.goes_on(b']')?;
        }
        Ok(items)
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Node)>, NodeError> {
        let mut entries = Vec::new();
        let mut more = self.opens(b'}');
        while more {
            self.skip();
            if self.peek() != Some(b'"') {
                return self.fail("the name of a value is missing");
            }
            let key = self.string()?;
            self.skip();
            if self.next() != Some(b':') {
                return self.fail(&format!("a colon is missing behind {key:?}"));
            }
            entries.push((key, self.value(depth + 1)?));
            more = self.goes_on(b'}')?;
        }
        Ok(entries)
    }

    fn string(&mut self) -> Result<String, NodeError> {
        let begin = self.at;
        self.next();
        loop {
            match self.next() {
                Some(b'\\') => {
                    self.next();
                }
                Some(b'"') => break,
                Some(_) => {}
                None => return self.fail("a text does not end"),
            }
        }
        let written = String::from_utf8_lossy(&self.bytes[begin..self.at]);
        // Line breaks and tabs within texts are not JSON, but other platforms take them.
        let written = written.replace('\n', "\\n").replace('\t', "\\t");
        serde_json::from_str(&written).or_else(|_| self.fail("a text has an escape that there is not"))
    }
}
