//! The agent's connections, one to each controller, for as long as it lives: calls, serves, and calls again.

use super::serve::{Served, serve};
use super::sleep::Sleep;
use super::{Backoff, EndsWithMe, Timing, dial};
use crate::controllers::Controllers;
use crate::gate::Gate;
use crate::join::{CONTROLLER_NAME, refusal};
use crate::words::in_words;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How often the agent looks whether the machine slept.
const LOOK: Duration = Duration::from_secs(1);
/// After how many calls that the controller ended at once it is asked why.
const SENT_AWAY: u32 = 3;
/// How many tunnels that were replaced may finish what they do.
const MOST_DRAINING: usize = 4;

/// A controller to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// `host:port`.
    pub address: String,
    /// The name that its certificate must bear.
    pub server_name: ServerName<'static>,
}

impl Controller {
    /// A controller's listener for agents, `host:port`: wherever it is, its certificate bears one name.
    #[must_use]
    pub fn at(address: &str) -> Self {
        let server_name = ServerName::try_from(CONTROLLER_NAME).expect("a constant that is a name");
        Self { address: address.to_owned(), server_name }
    }
}

/// How it stands with a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Nobody was called yet.
    Begun,
    /// The controller asks, and is answered.
    Open,
    /// There is no tunnel; why, in words.
    Away(String),
    /// The controller does not take this host; why, in its words.
    Refused(String),
}

/// The agent's connections.
pub struct Agent {
    gate: Arc<Gate>,
    tls: watch::Receiver<Arc<ClientConfig>>,
    timing: Timing,
    links: Vec<(Controller, watch::Sender<Link>)>,
    introduced: Option<watch::Receiver<Vec<String>>>,
    again: watch::Sender<()>,
}

/// Why a tunnel ended.
enum End {
    /// It broke, or the controller ended it.
    Over(String),
    /// The controller ended it and had asked nothing.
    SentAway(String),
    /// There are new certificates: the old tunnel may finish what it does.
    Renewed,
    /// The machine slept, or its addresses changed.
    Again,
}

impl Agent {
    /// An agent that calls these controllers. The configuration may change at any time: then each tunnel is replaced
    /// by one with the new certificates.
    #[must_use]
    pub fn new(
        controllers: Vec<Controller>,
        tls: watch::Receiver<Arc<ClientConfig>>,
        gate: Arc<Gate>,
        timing: Timing,
    ) -> Self {
        let links = controllers.into_iter().map(|controller| (controller, watch::Sender::new(Link::Begun))).collect();
        Self { gate, tls, timing, links, introduced: None, again: watch::Sender::new(()) }
    }

    /// The same, calling whatever stands in this list, as soon as it does, and nobody else.
    #[must_use]
    pub fn calling(self, controllers: &Controllers) -> Self {
        Self { introduced: Some(controllers.subscribe()), ..self }
    }

    /// How it stands with each controller, in their order.
    #[must_use]
    pub fn links(&self) -> Vec<watch::Receiver<Link>> {
        self.links.iter().map(|(_, link)| link.subscribe()).collect()
    }

    /// Each word on it ends every connection and calls anew, at once: for whoever sees that the host's addresses have
    /// changed.
    #[must_use]
    pub fn again(&self) -> watch::Sender<()> {
        self.again.clone()
    }

    /// Calls and serves, without end. Dropping it ends every connection.
    pub async fn run(self) {
        let mut lines = Vec::new();
        let (mut introduced, mut sleep) = (self.introduced.clone(), Sleep::default());
        for (controller, link) in &self.links {
            lines.push((controller.address.clone(), self.begin(controller.clone(), link.clone())));
        }
        loop {
            if let Some(addresses) = introduced.as_mut().map(watch::Receiver::borrow_and_update) {
                lines.retain(|(address, _)| addresses.contains(address));
                for address in addresses.iter() {
                    if !lines.iter().any(|(known, _)| known == address) {
                        let link = watch::Sender::new(Link::Begun);
                        lines.push((address.clone(), self.begin(Controller::at(address), link)));
                    }
                }
            }
            if sleep.look_now() {
                tracing::info!("the machine slept: all connections are made anew");
                self.again.send_replace(());
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = any_change(&mut introduced) => {}
            }
        }
    }

    /// Calls a controller for as long as the answer is held.
    fn begin(&self, controller: Controller, link: watch::Sender<Link>) -> EndsWithMe {
        let line = Line {
            controller,
            link,
            tls: self.tls.clone(),
            again: self.again.subscribe(),
            gate: self.gate.clone(),
            timing: self.timing,
            draining: VecDeque::new(),
            sent_away: 0,
        };
        EndsWithMe(tokio::spawn(line.run()).abort_handle())
    }
}

/// The line to one controller.
struct Line {
    controller: Controller,
    link: watch::Sender<Link>,
    tls: watch::Receiver<Arc<ClientConfig>>,
    again: watch::Receiver<()>,
    gate: Arc<Gate>,
    timing: Timing,
    /// Tunnels that were replaced and finish what they do, the oldest first.
    draining: VecDeque<EndsWithMe>,
    /// How many calls in a row the controller has ended at once.
    sent_away: u32,
}

impl Line {
    async fn run(mut self) {
        let (first, longest) = self.timing.backoff;
        let mut backoff = Backoff::new(first, longest);
        loop {
            let begun = Instant::now();
            match self.once().await {
                End::Renewed | End::Again => {
                    backoff.reset();
                    continue;
                }
                End::Over(why) => {
                    self.sent_away = 0;
                    tracing::info!(controller = %self.controller.address, why, "no tunnel");
                    self.link.send_replace(Link::Away(why));
                }
                End::SentAway(why) => self.sent_away(why).await,
            }
            if begun.elapsed() > longest {
                backoff.reset();
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.wait(rand::random())) => {}
                () = changed(&mut self.tls) => backoff.reset(),
                () = changed(&mut self.again) => backoff.reset(),
            }
        }
    }

    /// Asks a controller that ends each call why it does, and says so once: it may go on for ever.
    async fn sent_away(&mut self, why: String) {
        self.sent_away = self.sent_away.saturating_add(1);
        if self.sent_away > SENT_AWAY && matches!(&*self.link.borrow(), Link::Refused(_)) {
            return;
        }
        if self.sent_away >= SENT_AWAY {
            let config = self.tls.borrow().as_ref().clone();
            if let Some(why) = refusal(&self.controller, config, &self.timing).await {
                tracing::warn!(controller = %self.controller.address, why, "this host is shut out");
                self.link.send_replace(Link::Refused(why));
                return;
            }
            self.sent_away = 0;
        }
        tracing::info!(controller = %self.controller.address, why, "no tunnel");
        self.link.send_replace(Link::Away(why));
    }

    /// One connection from its call to its end.
    async fn once(&mut self) -> End {
        let config = self.tls.borrow_and_update().clone();
        self.again.mark_unchanged();
        let stream = match dial::dial(&self.controller, config, &self.timing).await {
            Ok(stream) => stream,
            Err(error) => return End::Over(in_words(&error)),
        };
        let own = stream.get_ref().0.local_addr().ok();
        let (mut served, first) = serve(stream, self.gate.clone(), &self.timing);
        let end = tokio::select! {
            end = self.until_it_ends(&mut served, &first) => end,
            () = moved(own) => {
                tracing::info!(controller = %self.controller.address, "the host's address has changed: it calls anew");
                End::Again
            }
        };
        if matches!(end, End::Renewed) {
            self.drain(served);
        }
        end
    }

    async fn until_it_ends<S>(&mut self, served: &mut Served<S>, first: &Notify) -> End
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut silent = pin!(tokio::time::sleep(self.timing.first_request));
        let mut asked = false;
        loop {
            tokio::select! {
                ended = &mut *served => {
                    let why = match ended {
                        Ok(()) => "the controller ended the connection".to_owned(),
                        Err(error) => in_words(&error),
                    };
                    return if asked { End::Over(why) } else { End::SentAway(why) };
                }
                () = first.notified(), if !asked => {
                    (asked, self.sent_away) = (true, 0);
                    tracing::info!(controller = %self.controller.address, "the tunnel is open");
                    self.link.send_replace(Link::Open);
                }
                () = &mut silent, if !asked => {
                    return End::Over("the controller asks nothing".to_owned());
                }
                () = changed(&mut self.tls) => return End::Renewed,
                () = changed(&mut self.again) => return End::Again,
            }
        }
    }

    /// Lets a tunnel finish what it does, for a while, also if that goes on over some renewals.
    fn drain<S>(&mut self, mut served: Served<S>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let limit = self.timing.drain;
        let task = tokio::spawn(async move {
            std::pin::Pin::new(&mut served).graceful_shutdown();
            // What is not finished then is ended.
            let _ended = tokio::time::timeout(limit, served).await;
        });
        self.draining.retain(|draining| !draining.0.is_finished());
        if self.draining.len() >= MOST_DRAINING {
            self.draining.pop_front();
        }
        self.draining.push_back(EndsWithMe(task.abort_handle()));
    }
}

/// Returns when the host has an address no more. Nobody tells a connection that what it stands on is gone.
async fn moved(own: Option<SocketAddr>) {
    let Some(ip) = own.map(|own| own.ip()) else { return std::future::pending().await };
    // Only the host's own addresses can be bound to; the port does not matter.
    while UdpSocket::bind((ip, 0)).map_or_else(|error| error.kind() != ErrorKind::AddrNotAvailable, |_| true) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for a change; for ever, if nobody is left to make one.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The same of what may not be there.
async fn any_change<T>(receiver: &mut Option<watch::Receiver<T>>) {
    match receiver {
        Some(receiver) => changed(receiver).await,
        None => std::future::pending().await,
    }
}
