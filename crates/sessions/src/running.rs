//! One session with its process: reads what it prints, and carries out what the session wants.

use crate::Hooks;
use crate::input::{Input, InputEnd};
use bytes::BytesMut;
use pierhead_model::Timestamp;
use pierhead_terminal::{Demultiplexer, Effect, Frame, Pulled, Session, SessionSpec, SizeOf, ViewerId, Visitor};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

/// The most that is read at once, in bytes.
const READ: usize = 32 * 1024;
/// The most that is read in a second of what nobody's reading holds up, in bytes, as long as it goes on. Whatever is printed
/// costs its host: the engine copies it, and nobody's limits count that.
const UNHEARD: u32 = 256 * 1024;
/// What comes to no more than so long is read at once: two megabytes.
const AT_ONCE: Duration = Duration::from_secs(8);
/// What is beyond that is waited for once it is so long.
const REST: Duration = Duration::from_millis(5);
/// After so long without output the screen is told what was printed.
const QUIET: Duration = Duration::from_millis(10);
/// How long it may take to learn the exit code.
const EXIT_CODE: Duration = Duration::from_secs(10);

/// A session, and what is needed to run it.
pub(crate) struct Running {
    session: Mutex<Session>,
    hooks: Arc<dyn Hooks>,
    is_tty: bool,
    pub(crate) input: Input,
    /// Told whenever there may be something for a viewer.
    pub(crate) woken: Notify,
    /// Told when more may be read, and when time has to be looked at anew.
    resume: Notify,
    clock: Notify,
    resized: watch::Sender<Option<SizeOf>>,
    signals: mpsc::UnboundedSender<&'static str>,
    changed: watch::Sender<u64>,
    /// Why it shall end, once it shall.
    ending: watch::Sender<Option<String>>,
    is_over: watch::Sender<bool>,
    is_forgotten: watch::Sender<bool>,
}

impl Running {
    /// Begins to run a session over the stream of its process.
    pub(crate) fn begin<P>(
        spec: SessionSpec,
        process: P,
        hooks: Arc<dyn Hooks>,
        changed: watch::Sender<u64>,
    ) -> Arc<Self>
    where
        P: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (input, input_end) = Input::new();
        let (signals, signalled) = mpsc::unbounded_channel();
        let running = Arc::new(Self {
            is_tty: spec.tty,
            session: Mutex::new(Session::new(spec, hooks.now())),
            hooks,
            input,
            woken: Notify::new(),
            resume: Notify::new(),
            clock: Notify::new(),
            resized: watch::Sender::new(None),
            signals,
            changed,
            ending: watch::Sender::new(None),
            is_over: watch::Sender::new(false),
            is_forgotten: watch::Sender::new(false),
        });
        tokio::spawn(Arc::clone(&running).run(process, input_end, signalled));
        running
    }

    async fn run<P>(self: Arc<Self>, process: P, input_end: InputEnd, signalled: mpsc::UnboundedReceiver<&'static str>)
    where
        P: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (reader, writer) = tokio::io::split(process);
        let mut ending = self.ending.subscribe();
        let reason = tokio::select! {
            read = self.read(reader) => match read {
                Ok(()) => String::new(),
                Err(error) => format!("the connection to the process broke: {error}"),
            },
            () = self.serve(writer, input_end, signalled) => String::new(),
            reason = ending.wait_for(Option::is_some) => {
                reason.ok().and_then(|reason| reason.clone()).unwrap_or_default()
            }
        };
        let has_exited = reason.is_empty();
        let code = if has_exited { self.exit_code().await } else { None };
        self.hooks.end().await;
        let code = if has_exited { code } else { self.exit_code().await };
        self.with(|session, now| session.ended(code, &reason, now));
        self.is_over.send_replace(true);
        tokio::select! {
            () = self.tick() => {}
            () = self.forgotten() => {}
        }
    }

    async fn exit_code(&self) -> Option<i64> {
        tokio::time::timeout(EXIT_CODE, self.hooks.exit_code()).await.ok().flatten()
    }

    /// Reads what the process prints, until it ends.
    async fn read<P: AsyncRead>(&self, mut process: ReadHalf<P>) -> io::Result<()> {
        let mut buffer = BytesMut::with_capacity(READ);
        let mut demultiplexer = Demultiplexer::new();
        // Until when what was read should have lasted.
        let mut lasts = Instant::now();
        loop {
            let ahead = lasts.saturating_duration_since(Instant::now());
            if ahead >= AT_ONCE + REST {
                tokio::time::sleep(ahead - AT_ONCE).await;
            }
            while !self.session().may_read(self.hooks.now()) {
                self.clock.notify_one();
                self.resume.notified().await;
            }
            buffer.clear();
            buffer.reserve(READ);
            let is_behind = self.session().is_behind();
            let read = tokio::select! {
                biased;
                read = process.read_buf(&mut buffer) => read?,
                // Nothing more comes, so there is time for the screen. While a lot comes most of it need never be told.
                () = tokio::time::sleep(QUIET), if is_behind => {
                    self.session().catch_up_some();
                    continue;
                }
            };
            if read == 0 {
                return Ok(());
            }
            let now = self.hooks.now();
            if !self.session().has_pace(now) {
                lasts = lasts.max(Instant::now())
                    + Duration::from_secs(1) * u32::try_from(read).unwrap_or(u32::MAX) / UNHEARD;
            }
            if self.is_tty {
                self.session().output(&buffer, false, now);
            } else {
                let mut session = self.session();
                for (is_stderr, piece) in demultiplexer.feed(&buffer) {
                    session.output(piece, is_stderr, now);
                }
            }
            self.woken.notify_waiters();
            tokio::task::yield_now().await;
        }
    }

    /// Everything beside what the process prints. Never ends by itself.
    async fn serve<P: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        process: WriteHalf<P>,
        input_end: InputEnd,
        mut signalled: mpsc::UnboundedReceiver<&'static str>,
    ) {
        let write = async {
            self.input.write_to(input_end, process, &self.session, &self.resume).await;
            std::future::pending::<()>().await;
        };
        let resize = async {
            let mut sizes = self.resized.subscribe();
            while sizes.changed().await.is_ok() {
                let size = *sizes.borrow_and_update();
                if let Some(size) = size {
                    self.hooks.resize(size.columns, size.rows).await;
                }
            }
        };
        let signal = async {
            while let Some(name) = signalled.recv().await {
                self.hooks.signal(name).await;
            }
        };
        tokio::join!(write, resize, signal, self.tick());
    }

    /// Tells the session when time has passed that matters to it.
    async fn tick(&self) {
        loop {
            let now = self.hooks.now();
            let deadline = self.session().deadline(now);
            match deadline {
                Some(deadline) => {
                    let wait = Duration::from_millis(deadline.since(now).max(1));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.clock.notified() => {}
                    }
                }
                None => self.clock.notified().await,
            }
            let now = self.hooks.now();
            let effects = self.session().tick(now);
            if !effects.is_empty() {
                self.apply(effects);
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.resume.notify_one();
                self.woken.notify_waiters();
            }
        }
    }

    /// Lets go of it: nobody can come any more.
    pub(crate) fn forget(&self) {
        self.is_forgotten.send_replace(true);
    }

    /// Waits until somebody lets go of it.
    pub(crate) async fn forgotten(&self) {
        let mut told = self.is_forgotten.subscribe();
        let _gone = told.wait_for(|forgotten| *forgotten).await;
    }

    /// Waits until nothing of it runs any more.
    pub(crate) async fn over(&self) {
        let mut told = self.is_over.subscribe();
        let _gone = told.wait_for(|over| *over).await;
    }

    /// Ends it, and waits until nothing of it is left.
    pub(crate) async fn end(&self, reason: &str) {
        self.ending.send_if_modified(|ending| {
            let is_first = ending.is_none();
            ending.get_or_insert_with(|| reason.to_owned());
            is_first
        });
        self.over().await;
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.is_over.borrow()
    }

    pub(crate) fn join(&self, visitor: Visitor) -> ViewerId {
        let viewer = self.session().join(visitor, self.hooks.now());
        self.clock.notify_one();
        viewer
    }

    pub(crate) fn receive(&self, viewer: ViewerId, frame: Frame) {
        self.with(|session, now| session.receive(viewer, frame, now));
    }

    pub(crate) fn pull(&self, viewer: ViewerId) -> Pulled {
        let now = self.hooks.now();
        self.session().pull(viewer, now)
    }

    /// Tells the session something, and carries out what it wants.
    pub(crate) fn with(&self, tell: impl FnOnce(&mut Session, Timestamp) -> Vec<Effect>) {
        let now = self.hooks.now();
        let effects = tell(&mut self.session(), now);
        self.apply(effects);
        self.resume.notify_one();
    }

    pub(crate) fn session(&self) -> std::sync::MutexGuard<'_, Session> {
        crate::locked(&self.session)
    }

    fn apply(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write(bytes) => {
                    self.input.put(bytes);
                    if self.input.is_full() {
                        self.session().input_full(true);
                    }
                }
                Effect::EndInput => self.input.end(),
                Effect::Resize(size) => {
                    self.resized.send_replace(Some(size));
                }
                Effect::Signal(name) => {
                    let _ended = self.signals.send(name);
                }
                Effect::Wake => self.woken.notify_waiters(),
                Effect::Changed => {
                    self.changed.send_modify(|count| *count += 1);
                    self.clock.notify_one();
                    self.woken.notify_waiters();
                }
            }
        }
    }
}
