//! The programs that run in containers of a fake engine: a shell that knows a few words, and what the contract asks for.
//! Pure: input goes in, output comes out.

use crate::exec::ExecRequest;

/// Gives back every byte as it is, after a word.
pub const RAW: &str = "stty raw -echo; printf ready; cat";
/// Gives back its input, and at its end something on standard error, and 7.
pub const PIPE: &str = "cat; echo oh >&2; exit 7";
/// Prints its size whenever that changes.
pub const SIZES: &str = "stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done";

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;

/// What a program says to one thing that happens.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What was put into frames before and is not sent yet.
    pub framed: Vec<u8>,
    /// Pieces, and whether they are errors.
    pub pieces: Vec<(bool, Vec<u8>)>,
    /// It ends when all this is said.
    pub exit: Option<i64>,
    /// It goes on printing by itself.
    pub goes_on: bool,
    stops: bool,
}

impl Output {
    fn of(text: impl Into<Vec<u8>>) -> Self {
        Self { pieces: vec![(false, text.into())], ..Self::default() }
    }

    fn exits(self, code: i64) -> Self {
        Self { exit: Some(code), ..self }
    }

    /// What is left to say, with what came to it.
    pub(super) fn followed_by(self, framed: Vec<u8>, more: Self) -> Self {
        Self {
            framed,
            pieces: more.pieces,
            exit: self.exit.or(more.exit),
            goes_on: (self.goes_on && !more.stops) || more.goes_on,
            stops: false,
        }
    }
}

/// A program that runs.
pub(super) enum Program {
    Shell(Shell),
    Raw,
    Pipe,
    Sizes,
    /// It ends at once.
    Ends(Output),
}

#[derive(Debug, Default)]
pub(super) struct Shell {
    tty: bool,
    line: Vec<u8>,
    size: (u16, u16),
    environment: Vec<(String, String)>,
    /// It does something that does not end with its input.
    is_busy: bool,
}

impl Program {
    pub(super) fn of(request: &ExecRequest) -> Self {
        let words: Vec<&str> = request.command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["/bin/sh", "-c", script] if *script == RAW => Self::Raw,
            ["/bin/sh", "-c", script] if *script == PIPE => Self::Pipe,
            ["/bin/sh", "-c", script] if *script == SIZES => Self::Sizes,
            ["/bin/sh", "-c", script] if script.starts_with("exit ") => {
                let code = script.strip_prefix("exit ").and_then(|code| code.parse().ok());
                Self::Ends(Output::default().exits(code.unwrap_or(0)))
            }
            ["/bin/sh", "-c", _, _, ..] => Self::Ends(Output::default().exits(0)),
            [program, ..] if program.contains("no/such") => {
                let said = format!("OCI runtime exec failed: exec failed: {program}: no such file or directory\r\n");
                Self::Ends(Output::of(said).exits(127))
            }
            _ => Self::Shell(Shell { tty: request.tty, environment: request.environment.clone(), ..Shell::default() }),
        }
    }

    /// The mark of those that a command kills, if it is a script that goes through all processes.
    pub(super) fn kills(command: &[String]) -> Option<&str> {
        match command {
            [_, c, script, _, _, mark, what] if c == "-c" && script.contains("/environ") && what == "END" => Some(mark),
            _ => None,
        }
    }

    pub(super) fn begin(&mut self) -> Output {
        match self {
            Self::Shell(shell) => shell.prompt(),
            Self::Raw => Output::of("ready"),
            Self::Sizes => Output::of("ready\r\n"),
            Self::Pipe => Output::default(),
            Self::Ends(output) => std::mem::take(output),
        }
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) -> Output {
        match self {
            Self::Shell(shell) => shell.hear(bytes),
            Self::Raw | Self::Pipe => Output::of(bytes),
            Self::Sizes | Self::Ends(_) => Output::default(),
        }
    }

    /// Its input has ended. A pseudo-terminal has no such end.
    pub(super) fn ended_input(&mut self) -> Output {
        match self {
            Self::Pipe => Output { pieces: vec![(true, b"oh\n".to_vec())], ..Output::default() }.exits(7),
            Self::Shell(shell) if !shell.tty => {
                // A last line without its end is one, too.
                let last = if shell.line.is_empty() { Output::default() } else { shell.hear(b"\n") };
                if shell.is_busy || last.exit.is_some() { last } else { last.exits(0) }
            }
            _ => Output::default(),
        }
    }

    pub(super) fn resized(&mut self, columns: u16, rows: u16) -> Output {
        match self {
            Self::Shell(shell) => {
                shell.size = (columns, rows);
                Output::default()
            }
            Self::Sizes => Output::of(format!("{rows} {columns}\r\n")),
            Self::Raw | Self::Pipe | Self::Ends(_) => Output::default(),
        }
    }
}

impl Shell {
    fn prompt(&self) -> Output {
        if self.tty { Output::of("$ ") } else { Output::default() }
    }

    fn hear(&mut self, bytes: &[u8]) -> Output {
        let (mut output, mut said) = (Output::default(), Vec::new());
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    said.extend_from_slice(if self.tty { b"\r\n" } else { b"" });
                    let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                    let obeyed = self.obey(line.trim());
                    self.is_busy = obeyed.goes_on || line.trim() == "hang";
                    obeyed.pieces.iter().for_each(|(_, piece)| said.extend_from_slice(piece));
                    (output.exit, output.goes_on) = (obeyed.exit, obeyed.goes_on);
                    if output.exit.is_some() || self.is_busy {
                        break;
                    }
                    said.extend_from_slice(if self.tty { b"$ " } else { b"" });
                }
                &CTRL_C if self.tty => {
                    self.line.clear();
                    output.stops = true;
                    said.extend_from_slice(b"^C\r\n$ ");
                }
                &CTRL_D if self.tty && self.line.is_empty() => {
                    output.exit = Some(0);
                    break;
                }
                byte => {
                    self.line.push(*byte);
                    said.extend_from_slice(if self.tty { std::slice::from_ref(byte) } else { &[] });
                }
            }
        }
        if !said.is_empty() {
            output.pieces.push((false, said));
        }
        output
    }

    fn obey(&self, line: &str) -> Output {
        let end = if self.tty { "\r\n" } else { "\n" };
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (None, _) => Output::default(),
            (Some("exit"), code) => Output::default().exits(code.and_then(|code| code.parse().ok()).unwrap_or(0)),
            (Some("size"), _) => Output::of(format!("{} {}{end}", self.size.1, self.size.0)),
            (Some("yes"), _) => Output { goes_on: true, ..Output::default() },
            (Some("hang"), _) => Output::default(),
            (Some("fill"), Some(bytes)) => Output::of(vec![b'x'; bytes.parse().unwrap_or(0)]),
            (Some("print"), Some(name)) => {
                let found = self.environment.iter().find(|(known, _)| known == name);
                Output::of(format!("{}{end}", found.map_or("", |(_, value)| value)))
            }
            (Some("echo"), _) => Output::of(format!("{}{end}", line.strip_prefix("echo").unwrap_or("").trim())),
            (Some(word), _) => Output::of(format!("{word}: not found{end}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(tty: bool) -> Program {
        let environment = vec![("NAME".to_owned(), "value".to_owned())];
        Program::of(&ExecRequest { command: vec!["sh".to_owned()], tty, environment, ..ExecRequest::default() })
    }

    fn text(output: &Output) -> String {
        output.pieces.iter().map(|(_, piece)| String::from_utf8_lossy(piece)).collect()
    }

    #[test]
    fn a_shell_echoes_and_obeys() {
        let mut program = shell(true);
        assert_eq!(text(&program.begin()), "$ ");
        drop(program.resized(80, 24));
        for (typed, said) in [
            ("size\r", "size\r\n24 80\r\n$ "),
            ("print NAME\r", "print NAME\r\nvalue\r\n$ "),
            ("echo a b\r", "echo a b\r\na b\r\n$ "),
            ("fill 3\r", "fill 3\r\nxxx$ "),
            ("nope\r", "nope\r\nnope: not found\r\n$ "),
            ("\r", "\r\n$ "),
            ("half\u{3}", "half^C\r\n$ "),
        ] {
            assert_eq!(text(&program.hear(typed.as_bytes())), said, "{typed:?}");
        }
        assert!(program.hear(b"yes\r").goes_on);
        assert_eq!(program.hear(b"exit 9\r").exit, Some(9));
        assert_eq!(program.hear(&[CTRL_D]).exit, Some(0));
    }

    #[test]
    fn without_a_terminal_nothing_is_echoed_and_the_input_ends() {
        let mut program = shell(false);
        assert_eq!(text(&program.begin()), "");
        assert_eq!(text(&program.hear(b"echo hi\n")), "hi\n");
        assert_eq!(program.ended_input().exit, Some(0));
        drop(program.hear(b"exit 3"));
        assert_eq!(program.ended_input().exit, Some(3), "the last line has no end");
        assert_eq!(text(&program.hear(b"hang\necho never\n")), "");
        assert_eq!(program.ended_input().exit, None, "it goes on");
        assert_eq!(shell(true).ended_input().exit, None);
    }

    #[test]
    fn what_is_left_to_say_is_not_lost() {
        let left = Output { exit: Some(1), goes_on: true, ..Output::default() };
        let both = left.followed_by(b"left".to_vec(), Output { stops: true, ..Output::of("more") });
        assert_eq!((both.framed.as_slice(), text(&both).as_str()), (&b"left"[..], "more"));
        assert_eq!((both.exit, both.goes_on), (Some(1), false));
    }
}
