//! Knocks at the kernel of another host of the pool, for a controller that has lost sight of it: a connection that is
//! taken or refused proves that the host lives and that there is a way to it. Nothing is ever sent.
//!
//! Silence proves less: a firewall is silent too.

use crate::refusal::Refusal;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long a kernel has to answer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How much later than that counts as having slept oneself.
const LATE: Duration = Duration::from_millis(100);
/// The first is closed nearly everywhere, the second is open where the first is filtered.
const PORTS: [u16; 2] = [1, 22];
/// How many addresses one question may be about.
const MOST_ADDRESSES: usize = 4;
/// How many questions are answered a second.
const MOST_A_SECOND: u32 = 20;

/// What a controller asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The addresses of one host.
    pub(crate) addresses: Vec<IpAddr>,
}

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Knocked {
    /// Whether a kernel answered; absent if that cannot be told from here.
    pub(crate) answers: Option<bool>,
}

/// Whether a kernel answers at one of these addresses, within a quarter of a second; `None` if that cannot be told.
pub async fn knock(addresses: &[IpAddr]) -> Option<bool> {
    knock_at(addresses, &PORTS, PATIENCE).await
}

async fn knock_at(addresses: &[IpAddr], ports: &[u16], patience: Duration) -> Option<bool> {
    let began = Instant::now();
    let targets = addresses.iter().flat_map(|ip| ports.iter().map(|port| SocketAddr::new(*ip, *port)));
    let mut tries: FuturesUnordered<_> =
        targets.map(|target| tokio::time::timeout(patience, TcpStream::connect(target))).collect();
    let mut was_silent = false;
    while let Some(tried) = tries.next().await {
        match tried {
            Ok(Ok(_taken)) => return Some(true),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => return Some(true),
            Ok(Err(error)) if is_ours(&error) => {}
            Ok(Err(_)) | Err(_) => was_silent = true,
        }
    }
    let is_awake = began.elapsed() < patience + LATE;
    (was_silent && is_awake).then_some(false)
}

/// Whether it says something about this host and nothing about the other.
fn is_ours(error: &Error) -> bool {
    let ours = [ErrorKind::NetworkUnreachable, ErrorKind::AddrNotAvailable, ErrorKind::PermissionDenied];
    ours.contains(&error.kind()) || error.kind() == ErrorKind::InvalidInput
}

/// Lets questions pass, and not too many.
#[derive(Debug, Default)]
pub(crate) struct Knocker(Mutex<Option<(Instant, u32)>>);

impl Knocker {
    /// Answers a question, or says why not.
    pub(crate) async fn answer(&self, json: &[u8]) -> Result<Knocked, Refusal> {
        let question: Question = serde_json::from_slice(json)
            .map_err(|_| Refusal::malformed("a question about a host is {\"addresses\":[…]}, each an IP address"))?;
        if question.addresses.is_empty() || question.addresses.len() > MOST_ADDRESSES {
            return Err(Refusal::malformed(format!("'addresses' must have from 1 to {MOST_ADDRESSES}")));
        }
        if let Some(bad) = question.addresses.iter().find(|ip| !is_of_a_host(ip)) {
            return Err(Refusal::not_allowed(format!("{bad} is no address of another host")));
        }
        if !self.may_answer(Instant::now()) {
            let message = format!("at most {MOST_A_SECOND} questions about other hosts are answered a second");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message));
        }
        let own: Vec<IpAddr> =
            if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
        // That this host answers itself says nothing of the other.
        let others: Vec<IpAddr> = question.addresses.into_iter().filter(|ip| !own.contains(ip)).collect();
        Ok(Knocked { answers: knock(&others).await })
    }

    fn may_answer(&self, now: Instant) -> bool {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = second.filter(|(since, _)| now - *since < Duration::from_secs(1)).unwrap_or((now, 0));
        *second = Some((since, count + 1));
        count < MOST_A_SECOND
    }
}

fn is_of_a_host(ip: &IpAddr) -> bool {
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    // An address of the older kind in the form of the newer is a way around the above.
    let is_hidden = matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || is_link_local || is_hidden)
}

#[cfg(test)]
mod tests;
