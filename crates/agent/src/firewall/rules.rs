//! What the firewall says, as text for `nft`. Pure, but for the list of the host's own networks.
//!
//! A packet is known by the bridge over which it comes or goes, which no container can choose, and not by the address
//! that it bears. What no rule refuses goes on to whatever else the host has, Docker's own rules first.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Tells the table without its counters.
pub(super) const LIST: [&str; 5] = ["--stateless", "list", "table", "inet", "pierhead"];
/// Removes the table, which need not be there.
pub(super) const REMOVAL: &str = "table inet pierhead\ndelete table inet pierhead\n";

/// The bridges of workspaces without and with a way out.
const CLOSED: &str = "\"phw-*\"";
const OPEN: &str = "\"phe-*\"";

/// What nobody in a workspace reaches whatever its environment asks: this network (RFC 1122), private ones (RFC 1918),
/// those of carriers (RFC 6598), loopback, link-local ones with the metadata of clouds (RFC 3927), tests between networks
/// (RFC 2544), groups and all that is reserved (RFC 5771, RFC 1112).
const PRIVATE: [(Ipv4Addr, u8); 9] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// A range of addresses: its first one, and how many bits all have in common.
pub(super) type Range = (Ipv4Addr, u8);

/// The whole table for a host with these networks, which asks these resolvers for names. It takes the place of whatever
/// stood in it, in one transaction. Each kind of bridge has rules of its own: in a set of names `nft` before version 1.0.3 takes
/// a name with a star without a word, and nothing ever matches it.
pub(super) fn rules(connected: &BTreeSet<Range>, resolvers: &BTreeSet<Ipv4Addr>) -> String {
    let names = if resolvers.is_empty() {
        String::new()
    } else {
        let all = list(resolvers.iter());
        format!("\t\tip daddr {{ {all} }} meta l4proto {{ tcp, udp }} th dport 53 accept\n")
    };
    let refused = list(disjoint(connected).iter().map(|(first, bits)| format!("{first}/{bits}")));
    format!(
        "{REMOVAL}table inet pierhead {{
\tchain input {{
\t\ttype filter hook input priority filter - 10; policy accept;
\t\tiifname {CLOSED} ct state != {{ established, related }} goto refused
\t\tiifname {OPEN} ct state != {{ established, related }} goto refused
\t}}
\tchain forward {{
\t\ttype filter hook forward priority filter - 10; policy accept;
\t\tiifname {CLOSED} fib daddr . iif oif missing goto refused
\t\tiifname {OPEN} fib daddr . iif oif missing jump out
\t\toifname {CLOSED} jump inside
\t\toifname {OPEN} jump inside
\t}}
\tchain inside {{
\t\tiifname {CLOSED} return
\t\tiifname {OPEN} return
\t\tct state != {{ established, related }} goto refused
\t}}
\tchain out {{
\t\toifname {CLOSED} goto refused
\t\toifname {OPEN} goto refused
\t\tmeta nfproto ipv6 goto refused
{names}\t\tip daddr {{ {refused} }} goto refused
\t}}
\tchain refused {{
\t\treject with icmpx admin-prohibited
\t}}
}}
"
    )
}

/// The private ranges and the host's own, without those that lie within another: ranges lie within each other or apart.
fn disjoint(connected: &BTreeSet<Range>) -> BTreeSet<Range> {
    let all: BTreeSet<Range> =
        connected.iter().copied().chain(PRIVATE).map(|(ip, bits)| (first(ip, bits), bits)).collect();
    let is_inner = |inner: &Range| all.iter().any(|outer| outer.1 < inner.1 && first(inner.0, outer.1) == outer.0);
    all.iter().copied().filter(|range| !is_inner(range)).collect()
}

fn first(address: Ipv4Addr, bits: u8) -> Ipv4Addr {
    let bits = u32::from(bits.min(32));
    Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or(0))
}

fn list(all: impl Iterator<Item = impl ToString>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

/// The networks that this host has an address in, or why they are not known.
pub(super) fn connected() -> Result<BTreeSet<Range>, String> {
    let interfaces = if_addrs::get_if_addrs();
    let interfaces = interfaces.map_err(|error| format!("the networks of this host are not known: {error}"))?;
    let range = |interface: if_addrs::Interface| match interface.addr {
        if_addrs::IfAddr::V4(address) => Some((first(address.ip, address.prefixlen), address.prefixlen)),
        if_addrs::IfAddr::V6(_) => None,
    };
    // A network of everybody would be the internet.
    Ok(interfaces.into_iter().filter_map(range).filter(|(_, bits)| *bits >= 8).collect())
}

/// The resolvers in a `resolv.conf`; those on the host itself are asked by the engine.
pub(super) fn resolvers(text: &str) -> BTreeSet<Ipv4Addr> {
    let words = |line: &str| -> Option<Ipv4Addr> {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next()?.parse().ok()).flatten()
    };
    text.lines().filter_map(words).filter(|address| !address.is_loopback() && !address.is_unspecified()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    #[test]
    fn the_hosts_own_networks_and_resolvers_are_in_it() {
        let connected = BTreeSet::from([(ip("203.0.113.0"), 24), (ip("10.77.0.0"), 24)]);
        let text = rules(&connected, &BTreeSet::from([ip("192.168.1.1")]));
        assert!(text.starts_with("table inet pierhead\ndelete table inet pierhead\ntable inet pierhead {\n"));
        assert!(text.contains("203.0.113.0/24") && !text.contains("10.77.0.0"), "within 10.0.0.0/8: {text}");
        assert!(text.contains("ip daddr { 192.168.1.1 } meta l4proto { tcp, udp } th dport 53 accept\n"), "{text}");
        let accepts = text.find("dport 53 accept").unwrap();
        assert!(accepts < text.find("169.254.0.0/16").unwrap(), "a resolver may be in a private network");
        assert!(!rules(&connected, &BTreeSet::new()).contains("dport"));
    }

    #[test]
    fn resolvers_of_a_file() {
        let text = "# nameserver 9.9.9.9\nnameserver 192.168.1.1\nnameserver\t8.8.8.8 # x\nnameserver 127.0.0.53\nnameserver fd00::1\nnameserver\nsearch lan\n";
        assert_eq!(resolvers(text), BTreeSet::from([ip("192.168.1.1"), ip("8.8.8.8")]));
    }

    #[test]
    fn the_bridges_that_engines_are_told_are_those_of_the_rules() {
        let text = rules(&BTreeSet::new(), &BTreeSet::new());
        let [closed, open] = pierhead_engine::WORKSPACE_BRIDGES.map(|begin| format!("\"{begin}*\""));
        assert_eq!((closed.as_str(), open.as_str()), (CLOSED, OPEN));
        let chain = |name: &str| {
            let (_, rest) = text.split_once(&format!("\tchain {name} {{\n")).unwrap();
            rest.split_once("\n\t}").unwrap().0
        };
        for bridge in [&closed, &open] {
            let refused = format!("iifname {bridge} ct state != {{ established, related }} goto refused");
            assert!(chain("input").contains(&refused), "{bridge}");
            assert!(chain("forward").contains(&format!("oifname {bridge} jump inside")), "{bridge}");
            assert!(chain("out").contains(&format!("oifname {bridge} goto refused")), "{bridge}");
        }
        assert!(chain("inside").ends_with("\t\tct state != { established, related } goto refused"));
        let forward = chain("forward");
        assert!(forward.contains(&format!("iifname {closed} fib daddr . iif oif missing goto refused")), "{forward}");
        assert!(forward.contains(&format!("iifname {open} fib daddr . iif oif missing jump out")), "{forward}");
        assert!(!text.replace("policy accept", "").replace("dport 53 accept", "").contains("accept"), "{text}");
    }

    #[test]
    fn no_name_with_a_star_stands_in_a_set() {
        let text = rules(&BTreeSet::from([(ip("203.0.113.0"), 24)]), &BTreeSet::from([ip("10.0.0.53")]));
        // What stands in braces, and is not the body of a chain or the table.
        let sets: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("{ ")?.1.split_once(" }")).map(|set| set.0).collect();
        assert!(sets.len() >= 5 && sets.iter().all(|set| !set.contains(['*', '"'])), "{sets:?}");
        assert!(text.lines().filter(|line| line.contains('*')).all(|line| line.matches('"').count() == 2), "{text}");
    }

    #[test]
    fn a_resolver_is_let_for_names_only_and_before_what_is_refused() {
        let text = rules(&BTreeSet::new(), &BTreeSet::from([ip("10.0.0.53"), ip("9.9.9.9")]));
        let (_, out) = text.split_once("chain out").unwrap();
        let places = ["goto refused", "meta nfproto ipv6", "10.0.0.53", "dport 53 accept", "ip daddr { 0.0.0.0/8"];
        let places = places.map(|part| out.find(part).unwrap_or_else(|| panic!("{part} in {out}")));
        assert!(places.is_sorted(), "{out}");
        assert_eq!(text.matches("10.0.0.53").count(), 1);
        assert_eq!(resolvers("nameserver 0.0.0.0\nnameserver 1.2.3\nnameserver 127.1.1.1; drop\n"), BTreeSet::new());
    }

    #[test]
    fn a_range_has_no_odd_first_address() {
        assert_eq!(first(ip("203.0.113.77"), 24), ip("203.0.113.0"));
        assert_eq!((first(ip("1.2.3.4"), 0), first(ip("1.2.3.4"), 32)), (ip("0.0.0.0"), ip("1.2.3.4")));
    }

    proptest! {
        #[test]
        fn ranges_lie_apart_and_leave_nothing_out(all in proptest::collection::btree_set((any::<u32>(), 8u8..=32), 0..8), probe in any::<u32>()) {
            let all: BTreeSet<Range> = all.into_iter().map(|(bits, prefix)| (Ipv4Addr::from_bits(bits), prefix)).collect();
            let apart = disjoint(&all);
            let within = |address: Ipv4Addr, range: &Range| first(address, range.1) == first(range.0, range.1);
            let probes = all.iter().map(|range| range.0).chain([Ipv4Addr::from_bits(probe), ip("169.254.169.254")]);
            for probe in probes {
                let wanted = all.iter().chain(&PRIVATE).any(|range| within(probe, range));
                prop_assert_eq!(apart.iter().filter(|range| within(probe, range)).count(), usize::from(wanted), "{}", probe);
            }
        }
    }
}
