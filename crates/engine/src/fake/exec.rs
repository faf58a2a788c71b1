//! Processes in containers of a fake engine: a handful of programs, enough for who talks with them.

use super::Fake;
use super::program::{Output, Program};
use super::world::World;
use crate::deadlines::Verb;
use crate::dial::Stream;
use crate::error::{EngineError, Result};
use crate::exec::{ExecId, ExecRequest, ExecState};
use pierhead_model::ContainerId;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// How much may be on its way to or from a process, in bytes.
const PIPE: usize = 64 * 1024;
/// The exit code of a process that was killed.
const KILLED: i64 = 137;

/// A process, from its making until its container goes.
pub(super) struct Process {
    container: ContainerId,
    request: ExecRequest,
    exit_code: Option<i64>,
    /// To the process while it runs.
    control: Option<mpsc::UnboundedSender<Control>>,
}

/// What is done to a process from outside of its input.
#[derive(Debug, Clone, Copy)]
enum Control {
    Resize(u16, u16),
    Kill,
}

impl World {
    fn process(&mut self, exec: &ExecId) -> Result<&mut Process> {
        self.processes.get_mut(exec).ok_or(EngineError::NotFound)
    }

    /// Kills what runs in a container.
    pub(super) fn kill_processes(&mut self, container: &ContainerId) {
        self.kill_those(|process| process.container == *container);
    }

    /// Nobody asks for what ran in a container that is gone.
    pub(super) fn forget_processes(&mut self, container: &ContainerId) {
        self.processes.retain(|_, process| process.container != *container);
    }

    /// Kills what bears a variable in a container, as a script does that walks through all processes.
    fn kill_marked(&mut self, container: &ContainerId, value: &str) {
        let is_marked =
            |process: &Process| process.request.environment.iter().any(|(_, marked)| marked.as_str() == value);
        self.kill_those(|process| process.container == *container && is_marked(process));
    }

    fn kill_those(&mut self, which: impl Fn(&Process) -> bool) {
        for process in self.processes.values_mut().filter(|process| which(process)) {
            if let Some(control) = process.control.take() {
                process.exit_code = Some(KILLED);
                // It may be about to end by itself.
                let _ended = control.send(Control::Kill);
            }
        }
    }
}

impl Fake {
    pub(super) async fn exec_made(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId> {
        self.perform(Verb::CreateExec, container.as_str(), 0, |world| {
            if !world.held(container)?.observed.state.is_running() {
                return Err(EngineError::Refused(format!("Container {container} is not running")));
            }
            let id = ExecId::parse(world.new_id().as_str()).map_err(|error| EngineError::Failed(error.to_string()))?;
            let program = request.command.first().cloned().unwrap_or_default();
            world.tell(container, &format!("exec_create: {program}"), &[("execID", id.as_str())]);
            let process =
                Process { container: container.clone(), request: request.clone(), exit_code: None, control: None };
            world.processes.insert(id.clone(), process);
            Ok(id)
        })
        .await
    }

    pub(super) async fn exec_started(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Stream>> {
        let (near, far) = tokio::io::duplex(PIPE);
        let fake = self.clone();
        self.perform(Verb::StartExec, exec.as_str(), 0, move |world| {
            let process = world.process(exec)?;
            if process.control.is_some() || process.exit_code.is_some() {
                return Err(EngineError::Failed(format!("exec {exec} has already run (status 409)")));
            }
            let (control, told) = mpsc::unbounded_channel();
            process.control = Some(control);
            let (container, request) = (process.container.clone(), process.request.clone());
            if let Some(value) = Program::kills(&request.command) {
                world.kill_marked(&container, value);
            }
            world.tell(&container, "exec_start", &[("execID", exec.as_str())]);
            let running = Running { fake, exec: exec.clone(), told, tty };
            tokio::spawn(running.run(Program::of(&request), far));
            Ok(())
        })
        .await?;
        Ok(Box::new(near))
    }

    pub(super) async fn exec_resized(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()> {
        self.perform(Verb::ResizeExec, exec.as_str(), 0, |world| {
            let process = world.process(exec)?;
            let sent = process.control.as_ref().map(|control| control.send(Control::Resize(columns, rows)));
            match sent {
                Some(Ok(())) => Ok(()),
                _ => Err(EngineError::Failed("cannot resize a stopped process".to_owned())),
            }
        })
        .await
    }

    pub(super) async fn exec_seen(&self, exec: &ExecId) -> Result<ExecState> {
        self.read(Verb::Exec, exec.as_str(), |world| {
            let process = world.processes.get(exec).ok_or(EngineError::NotFound)?;
            Ok(ExecState { is_running: process.control.is_some(), exit_code: process.exit_code })
        })
        .await
    }

    /// How many processes run in containers, beside the containers' own.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.world().processes.values().filter(|process| process.control.is_some()).count()
    }

    /// What the processes in a container were asked to be, those that have ended included.
    #[must_use]
    pub fn execs(&self, container: &ContainerId) -> Vec<ExecRequest> {
        let world = self.world();
        let of_it = world.processes.values().filter(|process| process.container == *container);
        of_it.map(|process| process.request.clone()).collect()
    }
}

/// A process that runs.
struct Running {
    fake: Fake,
    exec: ExecId,
    told: mpsc::UnboundedReceiver<Control>,
    tty: bool,
}

impl Running {
    async fn run(mut self, mut program: Program, far: DuplexStream) {
        let (mut reader, mut writer) = tokio::io::split(far);
        let code = self.talk(&mut program, &mut reader, &mut writer).await;
        self.fake.change(|world| {
            let Ok(process) = world.process(&self.exec) else { return };
            process.control = None;
            let code = *process.exit_code.get_or_insert(code);
            let container = process.container.clone();
            let code = code.to_string();
            world.tell(&container, "exec_die", &[("execID", self.exec.as_str()), ("exitCode", &code)]);
        });
        // Only now: who reads to the end finds the exit code.
        let _gone = writer.shutdown().await;
    }

    /// Until it exits; who talks with it may go away at any time, and nothing ends by that.
    async fn talk(
        &mut self,
        program: &mut Program,
        reader: &mut ReadHalf<DuplexStream>,
        writer: &mut WriteHalf<DuplexStream>,
    ) -> i64 {
        let mut output = program.begin();
        let (mut is_input_open, mut is_heard) = (true, true);
        let mut piece = vec![0; 16 * 1024];
        loop {
            let mut unsent = if is_heard { framed(self.tty, &output) } else { Vec::new() };
            if let (true, Some(code)) = (unsent.is_empty(), output.exit) {
                return code;
            }
            let more = output.goes_on && is_heard;
            if unsent.is_empty() && more {
                output.pieces = vec![(false, b"y\r\n".repeat(2_000))];
                continue;
            }
            let mut said = Output::default();
            tokio::select! {
                control = self.told.recv() => match control {
                    Some(Control::Resize(columns, rows)) => said = program.resized(columns, rows),
                    Some(Control::Kill) | None => return KILLED,
                },
                read = reader.read(&mut piece), if is_input_open => match read {
                    Ok(0) | Err(_) => {
                        is_input_open = false;
                        said = program.ended_input();
                    }
                    Ok(length) => said = program.hear(&piece[..length]),
                },
                written = writer.write(&unsent), if !unsent.is_empty() => {
                    match written {
                        Ok(length) => drop(unsent.drain(..length)),
                        Err(_) => is_heard = false,
                    }
                }
            }
            output = output.followed_by(unsent, said);
        }
    }
}

/// What is printed, as it travels. What was framed before stays as it is.
fn framed(tty: bool, output: &Output) -> Vec<u8> {
    let mut bytes = output.framed.clone();
    for (is_stderr, piece) in &output.pieces {
        if !tty {
            let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&[if *is_stderr { 2 } else { 1 }, 0, 0, 0]);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        bytes.extend_from_slice(piece);
    }
    bytes
}
