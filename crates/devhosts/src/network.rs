//! The bridge of a pool, the namespaces and links of its hosts, and the firewall rule that lets them reach each other.
//! Makes and removes only what bears the pool's names.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;

use crate::command::{self, run, run_with_input};
use crate::error::{Error, Result};
use crate::names::{Names, bridge_address};
use crate::process;
use crate::record::{HostRecord, lock_folder};

/// Where iproute2 keeps the names of network namespaces.
const NETNS_FOLDER: &str = "/run/netns";

/// The machine's lock for choosing networks and for making namespaces. It is an existing folder, so that no lock file
/// stays behind.
pub(crate) fn lock_machine() -> Result<File> {
    lock_folder(Path::new("/run"))
}

/// The first free x of 10.77.x.0/24. Valid only while [`lock_machine`] is held.
pub(crate) fn free_subnet() -> Result<u8> {
    let addresses = run("ip", &["-o", "-4", "address", "show"])?;
    let routes = run("ip", &["-4", "route", "show", "table", "all"])?;
    first_free(&(addresses + &routes)).ok_or(Error::ChooseNetwork)
}

fn first_free(listing: &str) -> Option<u8> {
    let used: HashSet<u8> = listing
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("10.77.")?.split('.').next()?.parse().ok())
        .collect();
    (0..=u8::MAX).find(|subnet| !used.contains(subnet))
}

/// Makes the bridge with its address, and the rule for packets between hosts.
pub(crate) fn make_bridge(names: &Names, subnet: u8) -> Result<()> {
    let bridge = names.bridge();
    let lines = format!(
        "link add name {bridge} type bridge\naddress add {}/24 dev {bridge}\nlink set {bridge} up\n",
        bridge_address(subnet)
    );
    run_with_input("ip", &["-batch", "-"], &lines)?;
    // An engine in the root namespace sets the policy for forwarded packets to DROP.
    run("iptables", &["-w", "-I", "FORWARD", "-i", bridge, "-j", "ACCEPT"]).map(drop)
}

/// Makes a host's namespace and its link into the bridge. [`lock_machine`] must be held.
pub(crate) fn make_host(names: &Names, host: &HostRecord, subnet: u8) -> Result<()> {
    let (netns, veth) = (names.netns(host.index), names.veth(host.index));
    run("ip", &["netns", "add", &netns])?;
    let outside = format!(
        "link add {veth} type veth peer name eth0 netns {netns}\nlink set {veth} master {} up\n",
        names.bridge()
    );
    run_with_input("ip", &["-batch", "-"], &outside)?;
    let inside = format!(
        "link set lo up\naddress add {}/24 dev eth0\nlink set eth0 up\nroute add default via {}\n",
        host.address,
        bridge_address(subnet)
    );
    run_with_input("ip", &["-n", &netns, "-batch", "-"], &inside).map(drop)
}

/// Plugs a host's cable in or out.
pub(crate) fn set_link(names: &Names, index: usize, connected: bool) -> Result<()> {
    run("ip", &["link", "set", &names.veth(index), if connected { "up" } else { "down" }]).map(drop)
}

/// The identities of the pool's network namespaces that exist.
pub(crate) fn namespaces(names: &Names) -> HashSet<(u64, u64)> {
    netns_names(names).iter().filter_map(|name| process::namespace(netns_file(name))).collect()
}

/// The file that stands for a host's network namespace.
pub(crate) fn netns_file(netns: &str) -> String {
    format!("{NETNS_FOLDER}/{netns}")
}

fn netns_names(names: &Names) -> Vec<String> {
    entries(NETNS_FOLDER).filter(|name| names.owns_netns(name)).collect()
}

fn link_names(names: &Names) -> Vec<String> {
    entries("/sys/class/net").filter(|link| names.owns_link(link)).collect()
}

fn entries(folder: &str) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// Removes links, namespaces, bridge and rule, as far as they exist. Goes on after a failure and returns the first.
pub(crate) fn remove(names: &Names) -> Result<()> {
    let mut outcome = Ok(());
    let _lock = lock_machine()?;
    for link in link_names(names) {
        let removed = run("ip", &["link", "delete", &link]).map(drop);
        outcome = outcome.and(if link_names(names).contains(&link) { removed } else { Ok(()) });
    }
    for netns in netns_names(names) {
        let removed = run("ip", &["netns", "delete", &netns]).map(drop);
        outcome = outcome.and(if netns_names(names).contains(&netns) { removed } else { Ok(()) });
    }
    outcome.and(remove_rules(names))
}

fn remove_rules(names: &Names) -> Result<()> {
    if command::find("iptables", &command::search_path()).is_none() {
        return Ok(());
    }
    let rule = ["FORWARD", "-i", names.bridge(), "-j", "ACCEPT"];
    let ours = format!("-A {}", rule.join(" "));
    let listing = run("iptables", &["-w", "-S", "FORWARD"])?;
    for _ in listing.lines().filter(|line| line.trim() == ours) {
        run("iptables", &[&["-w", "-D"], &rule[..]].concat())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_network_without_address_or_route_is_free() {
        assert_eq!(first_free("2: eth0 inet 192.0.2.2/24 scope global"), Some(0));
        let listing = "5: b inet 10.77.0.1/24 brd 10.77.0.255\n10.77.1.0/24 dev c\nlocal 10.77.3.1 dev d\n10.7.2.0/24";
        assert_eq!(first_free(listing), Some(2));
        let full: String = (0..=255).map(|x| format!("10.77.{x}.0/24\n")).collect();
        assert_eq!(first_free(&full), None);
    }

    #[test]
    fn a_pool_that_was_never_made_has_nothing_to_remove() {
        let names = Names::of(Path::new("/nonexistent/pool")).unwrap();
        assert!(link_names(&names).is_empty());
        assert!(namespaces(&names).is_empty());
        remove(&names).unwrap();
        remove(&names).unwrap();
    }
}
