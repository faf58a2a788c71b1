//! Values of flags: ports, pairs, restart policies, spans of time.

use pierhead_wire::{PortDescription, PortNumber, RestartDescription};
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

const PORT_FORM: &str = "expected tcp/HOST_IP:HOST_PORT:CONTAINER_PORT, HOST_PORT:CONTAINER_PORT or CONTAINER_PORT; \
    an empty HOST_PORT lets one be chosen (tcp/::80)";

/// Parses `tcp/10.0.0.1:8080:80`, `tcp/::80`, `8080:80`, `80`, `53:53/udp`, `[::1]:8080:80`.
pub(crate) fn parse_port(text: &str) -> Result<PortDescription, String> {
    let (proto, address) = split_protocol(text)?;
    let mut parts = address.rsplitn(3, ':');
    let container_port = parts.next().and_then(|part| part.parse::<u16>().ok()).filter(|&port| port != 0);
    let container_port = container_port.ok_or(PORT_FORM)?;
    let host_port = match parts.next().unwrap_or_default() {
        "" => None,
        port => Some(port.parse::<u16>().map_err(|_| PORT_FORM)?).filter(|&port| port != 0),
    };
    let host_ip = match parts.next().unwrap_or_default() {
        "" => String::new(),
        ip => {
            let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
            bare.parse::<IpAddr>().map_err(|_| PORT_FORM)?.to_string()
        }
    };
    let number = |port: u16| PortNumber::Number(i64::from(port));
    Ok(PortDescription { proto, host_ip, port: host_port.map(number), container_port: Some(number(container_port)) })
}

/// The protocol stands before the address (`udp/53`) or after it (`53/udp`).
fn split_protocol(text: &str) -> Result<(String, &str), String> {
    let Some((before, after)) = text.split_once('/') else { return Ok(("tcp".to_owned(), text)) };
    let is_protocol = |text: &str| text.eq_ignore_ascii_case("tcp") || text.eq_ignore_ascii_case("udp");
    if is_protocol(before) {
        Ok((before.to_ascii_lowercase(), after))
    } else if is_protocol(after) {
        Ok((after.to_ascii_lowercase(), before))
    } else {
        Err(PORT_FORM.to_owned())
    }
}

/// Parses `KEY=VALUE`; the value may be empty and may hold more `=`.
pub(crate) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// The most containers of one app.
const MOST: u32 = 2000;

/// Parses how many containers to run: 1 to 2000.
pub(crate) fn parse_count(text: &str) -> Result<u32, String> {
    let count = text.parse::<u32>().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("expected a whole number from 1 to {MOST}"))
}

/// Parses a whole number within bounds, which are told to who gives another.
pub(crate) fn whole<T>(from: T, to: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: Copy + FromStr + PartialOrd + Display + Send + Sync,
{
    move |text| {
        let number = text.parse::<T>().ok().filter(|number| (from..=to).contains(number));
        number.ok_or_else(|| format!("expected a whole number from {from} to {to}"))
    }
}

/// Parses how many containers shall be there: 0 to 2000.
pub(crate) fn parse_size(text: &str) -> Result<u32, String> {
    let count = text.parse::<u32>().ok().filter(|&count| count <= MOST);
    count.ok_or_else(|| format!("expected a whole number from 0 to {MOST}"))
}

/// Takes a name that is one: an empty one is a shell variable that is not set.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected a name; an empty one may be a shell variable that is not set".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses an amount: a finite number, which is all that travels as JSON.
pub(crate) fn parse_amount(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|amount| amount.is_finite()).ok_or_else(|| "expected a number".to_owned())
}

/// Parses `NAME:ALIAS`, or `NAME` for both.
pub(crate) fn parse_link(text: &str) -> Result<(String, String), String> {
    let (name, alias) = text.split_once(':').unwrap_or((text, text.trim_start_matches('/')));
    if name.is_empty() || alias.is_empty() {
        return Err("expected CONTAINER or CONTAINER:ALIAS".to_owned());
    }
    Ok((name.to_owned(), alias.to_owned()))
}

/// Parses `always`, `no`, `on-failure` or `on-failure:3`.
pub(crate) fn parse_restart(text: &str) -> Result<RestartDescription, String> {
    let plain = |name: &str| RestartDescription { name: name.to_owned(), maximum_retry_count: None };
    match text.split_once(':') {
        None if matches!(text, "always" | "no" | "on-failure") => Ok(plain(text)),
        Some(("on-failure", count)) if count.parse::<u32>().is_ok() => {
            Ok(RestartDescription { maximum_retry_count: count.parse().ok(), ..plain("on-failure") })
        }
        _ => Err("expected always, no, on-failure or on-failure:N".to_owned()),
    }
}

/// Parses a span such as `90s`, `10m`, `1h30m` or `3d` into milliseconds.
pub(crate) fn parse_span_millis(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&digits| digits > 0)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = number.parse::<u64>().ok()?.checked_mul(millis)?.checked_add(total)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> (String, String, Option<u16>, u16) {
        let port = parse_port(text).expect(text);
        let number = |port: &PortNumber| port.number().unwrap();
        (port.proto, port.host_ip, port.port.as_ref().map(number), port.container_port.as_ref().map(number).unwrap())
    }

    fn expected(proto: &str, ip: &str, host: Option<u16>, container: u16) -> (String, String, Option<u16>, u16) {
        (proto.to_owned(), ip.to_owned(), host, container)
    }

    #[test]
    fn every_form_of_a_port_is_understood() {
        assert_eq!(port("tcp/::80"), expected("tcp", "", None, 80));
        assert_eq!(port("tcp/10.0.0.1:8080:80"), expected("tcp", "10.0.0.1", Some(8080), 80));
        assert_eq!(port("UDP/:53:53"), expected("udp", "", Some(53), 53));
        assert_eq!(port("8080:80"), expected("tcp", "", Some(8080), 80));
        assert_eq!(port("0:80"), expected("tcp", "", None, 80));
        assert_eq!(port(":80"), expected("tcp", "", None, 80));
        assert_eq!(port("80"), expected("tcp", "", None, 80));
        assert_eq!(port("53:53/udp"), expected("udp", "", Some(53), 53));
        assert_eq!(port("[::1]:8080:80"), expected("tcp", "::1", Some(8080), 80));
        assert_eq!(port("127.0.0.1::80"), expected("tcp", "127.0.0.1", None, 80));
    }

    #[test]
    fn other_ports_are_refused_with_the_form() {
        for bad in ["", "x", "0", "80:", "65536", "70000:80", "-1:80", "icmp/80", "host:1:80", "1:2:3:4", "80/tcp/udp"]
        {
            assert!(parse_port(bad).expect_err(bad).contains("HOST_PORT"), "{bad}");
        }
    }

    #[test]
    fn pairs_are_split_at_the_first_sign() {
        assert_eq!(parse_pair("A=b=c").unwrap(), ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(parse_pair("A=").unwrap(), ("A".to_owned(), String::new()));
        assert!(parse_pair("A").is_err() && parse_pair("=b").is_err());
    }

    #[test]
    fn amounts_are_finite() {
        assert_eq!(parse_amount("0.5"), Ok(0.5));
        for bad in ["", "NaN", "inf", "1e999", "one"] {
            assert!(parse_amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_say_their_bounds() {
        assert_eq!((parse_count("1"), parse_count("2000"), parse_size("0")), (Ok(1), Ok(2000), Ok(0)));
        for bad in ["0", "2001", "-1", "many", "", "4294967296"] {
            assert!(parse_count(bad).unwrap_err().contains("from 1 to 2000"), "{bad}");
        }
        for bad in ["2001", "-1", "1.5"] {
            assert!(parse_size(bad).unwrap_err().contains("from 0 to 2000"), "{bad}");
        }
    }

    #[test]
    fn a_link_without_alias_keeps_its_name() {
        assert_eq!(parse_link("/db").unwrap(), ("/db".to_owned(), "db".to_owned()));
        assert_eq!(parse_link("db:mysql").unwrap(), ("db".to_owned(), "mysql".to_owned()));
        assert!(parse_link("db:").is_err() && parse_link(":x").is_err());
    }

    #[test]
    fn restart_policies() {
        assert_eq!(parse_restart("on-failure:3").unwrap().maximum_retry_count, Some(3));
        assert_eq!(parse_restart("no").unwrap().name, "no");
        for bad in ["", "sometimes", "always:3", "on-failure:x", "on-failure:-1"] {
            assert!(parse_restart(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(parse_span_millis("90s"), Some(90_000));
        assert_eq!(parse_span_millis("2h"), Some(7_200_000));
        assert_eq!(parse_span_millis("1h30m"), Some(5_400_000));
        assert_eq!(parse_span_millis("1d1ms"), Some(86_400_001));
        for bad in [
            "",
            "5",
            "m",
            "1w",
            "1h30",
            "h1",
            "1.5h",
            "1 h",
            "-1s",
            "99999999999999999999d",
            "18446744073709551615d",
            "1ä",
        ] {
            assert_eq!(parse_span_millis(bad), None, "{bad}");
        }
    }
}
