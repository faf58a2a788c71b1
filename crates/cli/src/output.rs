//! Where a command writes, and whom it may ask.
//!
//! Everything that leaves through here is made harmless for a terminal, except the raw bytes of logs.

use crate::CliError;
use crate::escape::escape;
use crate::json::{one_line, pretty};
use crate::progress::{Progress, Waiting};
use crate::subject::Subject;
use comfy_table::Table;
use indicatif::{ProgressDrawTarget, TermLike};
use pierhead_model::Timestamp;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Which of the three streams a person sits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminals {
    /// Questions can be asked.
    pub stdin: bool,
    /// Tables fit the width.
    pub stdout: bool,
    /// Progress is shown.
    pub stderr: bool,
}

/// Gives a terminal to draw progress on, each time that something takes long.
pub type TerminalMaker = Box<dyn Fn() -> Box<dyn TermLike> + Send + Sync>;

/// The streams of one command.
pub struct Output {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Box<dyn BufRead + Send>,
    terminals: Terminals,
    width: Option<u16>,
    progress: Option<TerminalMaker>,
    waiting: Option<Waiting>,
    json: bool,
    subject: Subject,
    is_of_process: bool,
}

impl Output {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let terminals = Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        };
        let width = if terminals.stdout { Table::new().width() } else { None };
        let input = Box::new(BufReader::new(io::stdin()));
        let out = Self::new(Box::new(io::stdout()), Box::new(io::stderr()), input, terminals).with_width(width);
        Self { is_of_process: terminals.stdout, ..out }
    }

    /// Any others.
    #[must_use]
    pub fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        input: Box<dyn BufRead + Send>,
        terminals: Terminals,
    ) -> Self {
        Self {
            out,
            err,
            input,
            terminals,
            width: None,
            progress: None,
            waiting: None,
            json: false,
            subject: Subject::Other,
            is_of_process: false,
        }
    }

    /// Tables are this many characters wide at most.
    #[must_use]
    pub fn with_width(self, width: Option<u16>) -> Self {
        Self { width, ..self }
    }

    /// Progress is drawn here instead of on this process's standard error.
    #[must_use]
    pub fn with_progress(self, terminal: TerminalMaker) -> Self {
        Self { progress: Some(terminal), ..self }
    }

    /// Begins a command: how its answers are wanted, and what it is about.
    pub(crate) fn begin(&mut self, json: bool, subject: Subject) {
        (self.json, self.subject) = (json, subject);
    }

    /// What the command is about.
    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether answers are wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn terminals(&self) -> Terminals {
        self.terminals
    }

    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Columns and lines of the terminal as they are now: somebody may have made its window larger.
    pub(crate) fn size(&self) -> (Option<u16>, Option<u16>) {
        let size = if self.is_of_process { terminal_size() } else { None };
        size.map_or((self.width, None), |(columns, lines)| (Some(columns), Some(lines)))
    }

    /// The present, for ages.
    pub(crate) fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Writes text of one or more lines.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.stop_waiting();
        for line in text.lines() {
            writeln!(self.out, "{}", escape(line)).map_err(CliError::Write)?;
        }
        self.out.flush().map_err(CliError::Write)
    }

    /// Writes JSON, laid out.
    pub(crate) fn json(&mut self, json: &str) -> Result<(), CliError> {
        self.stop_waiting();
        writeln!(self.out, "{}", pretty(json)).and_then(|()| self.out.flush()).map_err(CliError::Write)
    }

    /// Writes JSON on one line, as one of many.
    pub(crate) fn json_line(&mut self, json: &str) -> Result<(), CliError> {
        self.stop_waiting();
        writeln!(self.out, "{}", one_line(json)).and_then(|()| self.out.flush()).map_err(CliError::Write)
    }

    /// Says that a change was made that has nothing to answer: in words, or as JSON.
    pub(crate) fn done(&mut self, text: &str) -> Result<(), CliError> {
        if self.json { self.json(&serde_json::json!({ "done": text }).to_string()) } else { self.text(text) }
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.stop_waiting();
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(CliError::Write)
    }

    /// Writes a line beside the answer. A standard error that is gone is nobody's loss.
    pub(crate) fn note(&mut self, line: &str) {
        self.stop_waiting();
        if self.json {
            return self.error_json(&serde_json::json!({ "note": line }).to_string());
        }
        let _gone = writeln!(self.err, "{}", escape(line));
    }

    /// Writes JSON on one line beside the answer.
    pub(crate) fn error_json(&mut self, json: &str) {
        self.stop_waiting();
        let _gone = writeln!(self.err, "{}", one_line(json));
    }

    /// What takes long is shown here, if somebody looks.
    pub(crate) fn start_progress(&mut self) -> Progress {
        self.stop_waiting();
        Progress::new(self.progress_target())
    }

    /// From now on an answer is waited for: a sign of life is shown when that takes longer than a second.
    pub(crate) fn wait(&mut self) {
        self.stop_waiting();
        if self.terminals.stderr {
            self.waiting = Some(Waiting::begin(self.progress_target()));
        }
    }

    /// The answer came, or is about to be shown, or a person is asked.
    pub(crate) fn stop_waiting(&mut self) {
        self.waiting = None;
    }

    fn progress_target(&self) -> ProgressDrawTarget {
        match &self.progress {
            Some(terminal) => ProgressDrawTarget::term_like(terminal()),
            None if self.terminals.stderr => ProgressDrawTarget::stderr(),
            None => ProgressDrawTarget::hidden(),
        }
    }

    /// Asks for one line; `None` if the input is at its end.
    pub(crate) fn ask(&mut self, prompt: &str) -> Result<Option<String>, CliError> {
        self.stop_waiting();
        write!(self.err, "{} ", escape(prompt)).and_then(|()| self.err.flush()).map_err(CliError::Ask)?;
        self.read_line()
    }

    /// Asks for a password, which is not shown. Needs a terminal.
    pub(crate) fn ask_password(&mut self, prompt: &str) -> Result<String, CliError> {
        self.stop_waiting();
        let read = dialoguer::Password::new().with_prompt(prompt).report(false).interact();
        read.map_err(|dialoguer::Error::IO(error)| CliError::Ask(error))
    }

    /// Asks for a password that is new, twice. Needs a terminal.
    pub(crate) fn ask_new_password(&mut self, prompt: &str, again: &str) -> Result<String, CliError> {
        self.stop_waiting();
        let asked = dialoguer::Password::new().with_prompt(prompt).report(false);
        let read = asked.with_confirmation(again, "These two differ; once more:").interact();
        read.map_err(|dialoguer::Error::IO(error)| CliError::Ask(error))
    }

    /// The input as a whole; nothing can be asked after that.
    pub(crate) fn take_input(&mut self) -> Box<dyn BufRead + Send> {
        std::mem::replace(&mut self.input, Box::new(io::empty()))
    }

    /// Standard output, for who writes on a thread of its own; to be given back.
    pub(crate) fn take_output(&mut self) -> Box<dyn Write + Send> {
        self.stop_waiting();
        std::mem::replace(&mut self.out, Box::new(io::sink()))
    }

    /// Gives it back.
    pub(crate) fn give_output(&mut self, out: Box<dyn Write + Send>) {
        self.out = out;
    }

    /// Writes bytes beside the answer, as they are.
    pub(crate) fn error_bytes(&mut self, bytes: &[u8]) {
        let _gone = self.err.write_all(bytes).and_then(|()| self.err.flush());
    }

    /// One line of the input, without its end.
    pub(crate) fn read_line(&mut self) -> Result<Option<String>, CliError> {
        /// The longest line that anybody types.
        const LONGEST: u64 = 64 * 1024;
        let mut line = String::new();
        let read = self.input.by_ref().take(LONGEST).read_line(&mut line).map_err(CliError::Ask)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

#[cfg(unix)]
fn terminal_size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row)).filter(|(columns, lines)| *columns > 0 && *lines > 2)
}

#[cfg(not(unix))]
fn terminal_size() -> Option<(u16, u16)> {
    None
}

/// The flag of commands that destroy.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Confirm {
    /// Do it without asking; scripts need this
    #[arg(long, short = 'y', help_heading = None)]
    pub yes: bool,
}

/// What happens where nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutTerminal {
    /// Nothing is done.
    Refuse,
    /// It is done, as scripts of the original command expect.
    Proceed,
}

impl Confirm {
    /// Returns if it may be done.
    pub(crate) fn ask(&self, question: &str, without: WithoutTerminal, out: &mut Output) -> Result<(), CliError> {
        if self.yes || (!out.terminals.stdin && without == WithoutTerminal::Proceed) {
            return Ok(());
        }
        if !out.terminals.stdin {
            return Err(CliError::usage(format!("{question} Nobody can be asked here"), "scripts say --yes"));
        }
        match out.ask(&format!("{question} [y/N]"))?.as_deref().map(str::trim) {
            Some("y" | "Y" | "yes" | "Yes" | "YES") => Ok(()),
            _ => Err(CliError::Declined),
        }
    }
}
