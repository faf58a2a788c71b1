//! How containers look.

use super::{age, fields, number, short, table};
use pierhead_model::Timestamp;
use pierhead_wire::{ContainerView, PortDescription, PortNumber};
use std::net::IpAddr;

/// What `run` prints: where to find each container.
pub(crate) fn started<'a>(containers: impl IntoIterator<Item = &'a ContainerView>, width: Option<u16>) -> String {
    let row = |container: &ContainerView| {
        vec![
            short(&container.id),
            container.app.clone().unwrap_or_default(),
            container.engine.id.clone(),
            state(container),
            ports(container),
        ]
    };
    table(&["CONTAINER", "APP", "ENGINE", "STATE", "PORTS"], containers.into_iter().map(row), width)
}

/// What `container ls` prints.
pub(crate) fn list(containers: &[ContainerView], now: Timestamp, width: Option<u16>) -> String {
    let row = |container: &ContainerView| {
        vec![
            short(&container.id),
            container.name.trim_start_matches('/').to_owned(),
            container.image.name.clone(),
            container.engine.id.clone(),
            state(container),
            age(&container.created_at, now),
            ports(container),
        ]
    };
    table(&["CONTAINER", "NAME", "IMAGE", "ENGINE", "STATE", "AGE", "PORTS"], containers.iter().map(row), width)
}

/// What `container show` prints.
pub(crate) fn one(container: &ContainerView) -> String {
    let image = &container.image;
    let amount = |value: Option<f64>, unit: &str| value.map(|value| format!("{}{unit}", number(value)));
    let pairs = |pairs: &std::collections::BTreeMap<String, String>, between: &str| {
        pairs.iter().map(|(key, value)| format!("{key}{between}{value}")).collect::<Vec<_>>().join(", ")
    };
    fields(&[
        ("id", container.id.clone()),
        ("name", container.name.trim_start_matches('/').to_owned()),
        ("app", container.app.clone().unwrap_or_default()),
        ("slot", container.slot.map(|slot| slot.to_string()).unwrap_or_default()),
        ("owner", container.owner.clone().unwrap_or_default()),
        ("image", image.name.clone()),
        ("entry point", image.entrypoint.join(" ")),
        ("arguments", image.args.join(" ")),
        ("engine", format!("{} ({})", container.engine.id, container.engine.addr)),
        ("state", state(container)),
        ("in detail", container.status.clone()),
        ("exit code", container.exit_code.map(|code| code.to_string()).unwrap_or_default()),
        ("created", container.created_at.clone()),
        ("cpus", amount(image.cpus, "").unwrap_or_default()),
        ("memory", amount(image.memory, " MB").unwrap_or_default()),
        ("type", image.kind.clone().unwrap_or_default()),
        ("labels", image.labels.join(", ")),
        ("environment", pairs(&image.environment, "=")),
        ("volumes", image.volumes.join(", ")),
        ("links", pairs(&image.links, ":")),
        ("ports", ports(container)),
    ])
}

/// Every port, comma between.
fn ports(container: &ContainerView) -> String {
    let host = host_of(&container.engine.addr);
    container.ports.iter().map(|port| binding(port, host, &container.engine.id)).collect::<Vec<_>>().join(", ")
}

/// `http://10.0.0.5:20000 -> 80`; what is not TCP is no URL. `host` is where a port of all addresses answers. One that
/// answers on the host itself only is no URL for anybody else.
pub(crate) fn binding(port: &PortDescription, host: &str, engine: &str) -> String {
    let number = |port: &Option<PortNumber>| port.as_ref().and_then(PortNumber::number).unwrap_or(0);
    let is_loopback = |text: &str| text.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let (host, of_host) = match port.host_ip.as_str() {
        "" | "0.0.0.0" | "::" => (host, host),
        ip => (ip, host),
    };
    let inside = (is_loopback(host) && !is_loopback(of_host)).then(|| format!(" on {engine} only"));
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let scheme = if port.proto == "udp" { "udp" } else { "http" };
    let (at, behind) = (number(&port.port), number(&port.container_port));
    match inside {
        Some(inside) => format!("{host}:{at}{inside} -> {behind}"),
        None => format!("{scheme}://{host}:{at} -> {behind}"),
    }
}

/// The host part of an engine's address; this machine for a socket.
fn host_of(addr: &str) -> &str {
    match addr.split_once("://") {
        Some(("unix", _)) | None => "127.0.0.1",
        Some((_, rest)) => {
            let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
            host.trim_start_matches('[').trim_end_matches(']')
        }
    }
}

/// `running` or `stopped`; nobody knows which while its host does not answer.
fn state(container: &ContainerView) -> String {
    if container.status == "unreachable" { container.status.clone() } else { container.state.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(proto: &str, ip: &str) -> PortDescription {
        let number = |port| Some(PortNumber::Number(port));
        PortDescription {
            proto: proto.to_owned(),
            host_ip: ip.to_owned(),
            port: number(20000),
            container_port: number(80),
        }
    }

    #[test]
    fn a_binding_is_a_url_that_answers() {
        let at = |proto: &str, ip: &str, addr: &str| binding(&port(proto, ip), host_of(addr), "e1");
        let tcp = "http://10.0.0.5:2375";
        assert_eq!(at("tcp", "", tcp), "http://10.0.0.5:20000 -> 80");
        assert_eq!(at("tcp", "0.0.0.0", tcp), "http://10.0.0.5:20000 -> 80");
        assert_eq!(at("udp", "192.168.7.1", tcp), "udp://192.168.7.1:20000 -> 80");
        assert_eq!(at("tcp", "2001:db8::1", tcp), "http://[2001:db8::1]:20000 -> 80");
        assert_eq!(at("tcp", "", "http://[fd00::2]:2375"), "http://[fd00::2]:20000 -> 80");
        assert_eq!(host_of("unix:///var/run/docker.sock"), "127.0.0.1");
    }

    #[test]
    fn what_answers_on_its_host_only_is_no_url_elsewhere() {
        let at = |ip: &str, addr: &str| binding(&port("tcp", ip), host_of(addr), "e1");
        assert_eq!(at("127.0.0.1", "http://10.0.0.5:2375"), "127.0.0.1:20000 on e1 only -> 80");
        assert_eq!(at("::1", "http://rack-1:2375"), "[::1]:20000 on e1 only -> 80");
        assert_eq!(at("127.0.0.1", "unix:///var/run/docker.sock"), "http://127.0.0.1:20000 -> 80", "this machine");
    }
}
