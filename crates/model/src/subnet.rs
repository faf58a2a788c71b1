//! Ranges of IPv4 addresses, as networks of workspaces have them.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;

/// A range of IPv4 addresses, written `10.213.0.0/28`: its first address, and how many bits of it are the same in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: u32,
    prefix: u8,
}

impl Subnet {
    /// Parses one of 4 to 2^24 addresses.
    ///
    /// # Errors
    /// [`Invalid`] with the accepted form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("subnet", "the first address and a prefix of 8 to 30 bits, like 10.213.0.0/28");
        let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let address: Ipv4Addr = address.parse().map_err(|_| invalid())?;
        let bits: u8 = prefix.parse().map_err(|_| invalid())?;
        let is_plain = bits.to_string() == prefix;
        let subnet = Self { first: address.to_bits(), prefix: bits };
        let is_first = (8..=30).contains(&bits) && subnet.first & (subnet.size() - 1) == 0;
        if is_plain && is_first { Ok(subnet) } else { Err(invalid()) }
    }

    /// How many addresses are in it.
    #[must_use]
    pub fn size(self) -> u32 {
        1 << (32 - u32::from(self.prefix))
    }

    /// Its first address, which no host in it has.
    #[must_use]
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first)
    }

    /// How many bits are the same in all its addresses.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & !(self.size() - 1) == self.first
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.first()) || other.contains(self.first())
    }

    /// The subnets of this prefix in it, the lowest first; none if it is smaller than one of them.
    pub fn parts(self, prefix: u8) -> impl Iterator<Item = Self> {
        let is_part = (self.prefix..=30).contains(&prefix);
        let count = if is_part { 1u32 << (prefix - self.prefix) } else { 0 };
        (0..count).map(move |at| Self { first: self.first + (at << (32 - u32::from(prefix))), prefix })
    }
}

impl TryFrom<String> for Subnet {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in
            ["", "10.0.0.0", "10.0.0.0/", "10.0.0.1/28", "10.0.0.0/7", "10.0.0.0/31", "10.0.0.0/028", "10.0.0.0/+28"]
        {
            assert!(Subnet::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Subnet::parse("fd00::/64").is_err() && Subnet::parse("10.0.0.0/28/1").is_err());
    }

    #[test]
    fn parts_fill_it_and_share_nothing() {
        let pool = subnet("10.213.0.0/24");
        let parts: Vec<Subnet> = pool.parts(28).collect();
        assert_eq!((parts.len(), parts[1].to_string().as_str()), (16, "10.213.0.16/28"));
        assert!(parts.iter().all(|part| pool.overlaps(*part) && part.overlaps(pool)));
        assert!(parts.iter().all(|one| parts.iter().filter(|other| one.overlaps(**other)).count() == 1));
        assert_eq!(pool.parts(24).collect::<Vec<_>>(), [pool]);
        assert_eq!((pool.parts(23).count(), pool.parts(31).count()), (0, 0));
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(address in any::<u32>(), prefix in 8u8..=30) {
            let size = 1u32 << (32 - u32::from(prefix));
            let text = format!("{}/{prefix}", Ipv4Addr::from_bits(address & !(size - 1)));
            let parsed = subnet(&text);
            prop_assert_eq!(parsed.to_string(), text);
            prop_assert!(parsed.contains(Ipv4Addr::from_bits(address)));
            prop_assert!(!parsed.contains(Ipv4Addr::from_bits(address.wrapping_add(size))));
            let json = serde_json::to_string(&parsed).unwrap();
            prop_assert_eq!(serde_json::from_str::<Subnet>(&json).unwrap(), parsed);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9./ +-]{0,20}") {
            let _parsed = Subnet::parse(&text);
        }
    }
}
