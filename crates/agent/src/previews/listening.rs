//! The TCP ports on which something listens, as the kernel tells them of a process' network.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most that is read of the kernel's table, in bytes.
const LONGEST: u64 = 8 << 20;
/// The most ports that are told, the lowest ones.
const MOST: usize = 256;
/// The kernel's number for a socket that listens.
const LISTENS: &str = "0A";
/// Where Docker's own name server listens in containers.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// A TCP port on which something listens in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListeningPort {
    /// The port.
    pub port: u16,
    /// Whether only the container itself reaches it.
    pub only_inside: bool,
}

/// The ports of a process' network, in order.
pub(super) async fn listening(pid: u32) -> io::Result<Vec<ListeningPort>> {
    let read = tokio::task::spawn_blocking(move || Ok([read(pid, "tcp")?, read(pid, "tcp6")?].concat()));
    read.await.map_err(io::Error::other)?.map(|table: String| parse(&table))
}

/// One of the kernel's tables; none where it lacks the protocol.
fn read(pid: u32, protocol: &str) -> io::Result<String> {
    let mut table = String::new();
    match File::open(format!("/proc/{pid}/net/{protocol}")) {
        Ok(file) => file.take(LONGEST).read_to_string(&mut table)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && protocol == "tcp6" => 0,
        Err(error) => return Err(error),
    };
    Ok(table)
}

/// What listens, in lines of the form `0: 0100007F:1F90 00000000:0000 0A …`.
fn parse(table: &str) -> Vec<ListeningPort> {
    let mut ports = BTreeMap::new();
    for line in table.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(LISTENS)) = (words.next(), words.nth(1)) else { continue };
        let Some((address, port)) = socket(local) else { continue };
        if address != NAME_SERVER {
            let only_inside = ports.entry(port).or_insert(true);
            *only_inside &= address.is_loopback();
        }
    }
    ports.into_iter().take(MOST).map(|(port, only_inside)| ListeningPort { port, only_inside }).collect()
}

/// Address and port: hexadecimal, the address in words of the host's byte order.
fn socket(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(8 * at..8 * at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::TcpListener;

    fn ports(table: &str) -> Vec<(u16, bool)> {
        parse(table).into_iter().map(|listening| (listening.port, listening.only_inside)).collect()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn what_listens_is_told_and_whether_anybody_else_reaches_it() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 020012AC:0050 010012AC:E4D2 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
   4: 020012AC:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0FA0 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 0000000000000000FFFF00000100007F:0FA1 00000000000000000000000000000000:0000 0A 00000000:00000000
   3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000
";
        let expected = [(80, false), (443, false), (3000, false), (4000, true), (4001, true), (8080, true)];
        assert_eq!(ports(table), expected);
    }

    #[test]
    fn nonsense_listens_nowhere_and_many_are_cut() {
        for nonsense in [
            "",
            "x",
            "0: x 0 0A",
            "0: 0100007F 0 0A",
            "0: 0100007F:1F90 0",
            "0: 01:1F90 0 0A",
            "0: 0100007F:11F90 0 0A",
            "0: ÄÄÄÄ:50 0 0A",
        ] {
            assert_eq!(ports(nonsense), [], "{nonsense}");
        }
        let many: String = (1..=1000).map(|port| format!("0: 00000000:{port:04X} 0 0A\n")).collect();
        let ports = ports(&many);
        assert_eq!((ports.len(), ports[0], ports[255]), (MOST, (1, false), (256, false)));
    }

    /// A socket as the kernel writes it.
    fn line(at: usize, address: IpAddr, port: u16, state: u8) -> String {
        let word = |bytes: &[u8]| format!("{:08X}", u32::from_ne_bytes(bytes.try_into().unwrap()));
        let local: String = match address {
            IpAddr::V4(address) => word(&address.octets()),
            IpAddr::V6(address) => address.octets().chunks_exact(4).map(word).collect(),
        };
        let remote = "0".repeat(local.len());
        format!("{at:4}: {local}:{port:04X} {remote}:0000 {state:02X} 00000000:00000000 00:00000000 00000000 0\n")
    }

    proptest! {
        #[test]
        fn a_port_is_open_to_others_if_any_of_its_sockets_is(
            sockets in proptest::collection::vec(
                (
                    prop_oneof![
                        Just("0.0.0.0"), Just("127.0.0.1"), Just("127.9.9.9"), Just("10.213.0.2"), Just("::"), Just("::1"),
                        Just("fd00::2"), Just("::ffff:127.0.0.1"), Just("::ffff:10.213.0.2"), Just("127.0.0.11"),
                        Just("::ffff:127.0.0.11"),
                    ],
                    1u16..6,
                    prop_oneof![3 => Just(0x0A), 1 => 1u8..0x0C],
                ),
                0..12,
            ),
        ) {
            let sockets: Vec<(IpAddr, u16, u8)> =
                sockets.into_iter().map(|(address, port, state)| (address.parse().unwrap(), port, state)).collect();
            let table: String =
                sockets.iter().enumerate().map(|(at, (address, port, state))| line(at, *address, *port, *state)).collect();
            let mut expected = BTreeMap::new();
            for (address, port, _) in sockets.iter().filter(|(address, _, state)| *state == 0x0A && address.to_canonical() != NAME_SERVER) {
                *expected.entry(*port).or_insert(true) &= address.to_canonical().is_loopback();
            }
            prop_assert_eq!(ports(&table), expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_table_that_is_cut_or_garbled_never_panics(text in "[0-9A-Fa-f: \n\\PC]{0,200}", cut in 0usize..200) {
            let whole = line(0, Ipv4Addr::UNSPECIFIED.into(), 80, 0x0A) + &line(1, Ipv6Addr::LOCALHOST.into(), 443, 0x0A);
            let cut = cut.min(whole.len());
            let told = ports(&format!("{}\n{text}", &whole[..cut]));
            prop_assert!(told.len() <= MOST && told.is_sorted());
            prop_assert!(ports(&whole[..cut]).iter().all(|one| [(80, false), (443, true)].contains(one)));
        }
    }

    #[tokio::test]
    async fn the_kernels_own_table_is_read() {
        let inside = TcpListener::bind("127.0.0.1:0").unwrap();
        let outside = TcpListener::bind("0.0.0.0:0").unwrap();
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let all = parse(&table);
        let of = |listener: &TcpListener| {
            let port = listener.local_addr().unwrap().port();
            // Other programs of this machine may have more ports than are told.
            all.iter().find(|listening| listening.port == port).map(|it| it.only_inside)
        };
        if all.len() < MOST {
            assert_eq!((of(&inside), of(&outside)), (Some(true), Some(false)));
        }
        assert!(!listening(std::process::id()).await.unwrap().is_empty());
        assert!(listening(u32::MAX).await.is_err());
    }
}
