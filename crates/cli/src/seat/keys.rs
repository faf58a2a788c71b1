//! Keys that are for this program and not for the terminal: ctrl-p, and then one more. Pure.

const CTRL_P: u8 = 0x10;
const CTRL_Q: u8 = 0x11;
const CTRL_D: u8 = 0x04;
const CTRL_Y: u8 = 0x19;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// For the terminal.
    Typed(Vec<u8>),
    /// Leave; it goes on.
    Detach,
    /// Ask to drive.
    Drive,
    /// Let another one drive.
    Yield,
}

/// Takes keys out of what is typed.
#[derive(Debug)]
pub(super) struct Keys {
    /// Whether a person types.
    raw: bool,
    /// ctrl-p was typed, and what comes next decides.
    is_held: bool,
}

impl Keys {
    pub(super) fn new(raw: bool) -> Self {
        Self { raw, is_held: false }
    }

    /// Whether every key comes here as it is typed.
    pub(super) fn are_raw(&self) -> bool {
        self.raw
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        if !self.raw {
            return vec![Key::Typed(bytes.to_vec())];
        }
        let (mut keys, mut typed) = (Vec::new(), Vec::new());
        for byte in bytes {
            if !std::mem::take(&mut self.is_held) {
                self.is_held = *byte == CTRL_P;
                if !self.is_held {
                    typed.push(*byte);
                }
                continue;
            }
            let key = match *byte {
                CTRL_Q => Key::Detach,
                CTRL_D => Key::Drive,
                CTRL_Y => Key::Yield,
                other => {
                    typed.push(CTRL_P);
                    self.is_held = other == CTRL_P;
                    if !self.is_held {
                        typed.push(other);
                    }
                    continue;
                }
            };
            if !typed.is_empty() {
                keys.push(Key::Typed(std::mem::take(&mut typed)));
            }
            keys.push(key);
        }
        if !typed.is_empty() {
            keys.push(Key::Typed(typed));
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]]) -> Vec<Key> {
        let mut keys = Keys::new(true);
        pieces.iter().flat_map(|piece| keys.feed(piece)).collect()
    }

    fn typed(bytes: &[u8]) -> Key {
        Key::Typed(bytes.to_vec())
    }

    #[test]
    fn keys_are_found_wherever_they_are_cut() {
        assert_eq!(fed(&[b"ab\x10\x11"]), [typed(b"ab"), Key::Detach]);
        assert_eq!(fed(&[b"ab\x10", b"\x11"]), [typed(b"ab"), Key::Detach]);
        assert_eq!(fed(&[b"\x10\x04\x10\x19c"]), [Key::Drive, Key::Yield, typed(b"c")]);
    }

    #[test]
    fn what_is_none_of_them_arrives_as_it_was_typed() {
        assert_eq!(fed(&[b"\x10x"]), [typed(b"\x10x")]);
        assert_eq!(fed(&[b"\x10", b"x"]), [typed(b"\x10x")]);
        assert_eq!(fed(&[b"\x10\x10x"]), [typed(b"\x10\x10x")]);
        assert_eq!(fed(&[b"\x10\x10\x11"]), [typed(b"\x10"), Key::Detach]);
        assert_eq!(fed(&[b"\x11\x04\x19"]), [typed(b"\x11\x04\x19")]);
        assert_eq!(fed(&[b"\x10"]), []);
    }

    #[test]
    fn a_pipe_has_no_keys() {
        assert_eq!(Keys::new(false).feed(b"\x10\x11"), [typed(b"\x10\x11")]);
    }
}
