//! A door in the way of connections that can be shut like a link that is cut: what is on its way stays where it is, and
//! nobody is told.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often a shut door is looked at.
const LOOK: Duration = Duration::from_millis(10);

pub struct Valve {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    is_shut: AtomicBool,
    is_over: AtomicBool,
}

impl Valve {
    /// An open door at an address of this machine, to somewhere else.
    pub fn new(at: IpAddr, to: SocketAddr) -> Self {
        Self::on(TcpListener::bind((at, 0)).unwrap(), to)
    }

    /// The same where somebody listens already.
    pub fn on(listener: TcpListener, to: SocketAddr) -> Self {
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { is_shut: AtomicBool::new(false), is_over: AtomicBool::new(false) });
        let door = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming() {
                if door.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(near), door) = (near, Arc::clone(&door)) else { continue };
                thread::spawn(move || join(near, to, &door));
            }
        });
        Self { address, state }
    }

    pub fn shut(&self) {
        self.state.is_shut.store(true, Ordering::Relaxed);
    }

    pub fn open(&self) {
        self.state.is_shut.store(false, Ordering::Relaxed);
    }
}

impl Drop for Valve {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // The listener looks up when somebody comes.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn join(near: TcpStream, to: SocketAddr, state: &Arc<State>) {
    wait_at(state);
    let Ok(far) = TcpStream::connect(to) else { return };
    let both = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
    for (from, into) in both {
        let (Ok(from), Ok(into)) = (from, into) else { return };
        let state = Arc::clone(state);
        thread::spawn(move || carry(from, into, &state));
    }
}

fn wait_at(state: &State) {
    while state.is_shut.load(Ordering::Relaxed) && !state.is_over.load(Ordering::Relaxed) {
        thread::sleep(LOOK);
    }
}

fn carry(mut from: TcpStream, mut into: TcpStream, state: &State) {
    let mut piece = [0; 64 * 1024];
    let _ = (from.set_nodelay(true), from.set_read_timeout(Some(Duration::from_millis(500))));
    while !state.is_over.load(Ordering::Relaxed) {
        let read = match from.read(&mut piece) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) | Ok(0) => break,
            Ok(read) => read,
        };
        // An end does not get through a cut link either.
        wait_at(state);
        if into.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    wait_at(state);
    let _ = (from.shutdown(std::net::Shutdown::Both), into.shutdown(std::net::Shutdown::Both));
}

#[test]
fn nothing_gets_through_a_shut_door_until_it_is_opened() {
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let valve = Valve::new("127.0.0.1".parse().unwrap(), far.local_addr().unwrap());
    let mut near = TcpStream::connect(valve.address).unwrap();
    let (mut far, _) = far.accept().unwrap();
    let mut piece = [0; 4];
    near.write_all(b"one").unwrap();
    far.read_exact(&mut piece[..3]).unwrap();
    valve.shut();
    near.write_all(b"two").unwrap();
    far.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(far.read(&mut piece).is_err());
    valve.open();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    far.read_exact(&mut piece[..3]).unwrap();
    assert_eq!(&piece[..3], b"two");
}
