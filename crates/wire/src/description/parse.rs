//! From a description as it travels to the model, field by field.

use super::{DEFAULT_CPU_LIMIT_MILLIS, Defaults, ImageDescription, PortDescription, PortNumber, RestartDescription};
use crate::FieldError;
use pierhead_model::{
    ContainerSpec, EngineId, ImageReference, LabelExpression, Limits, NetworkMode, Placement, PortRequest, Protocol,
    Resources, RestartPolicy, Volume,
};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, FieldError>;

/// The most entries of any list or map.
const MOST_ENTRIES: usize = 256;
/// The longest text of an argument or value, in bytes.
const LONGEST_TEXT: usize = 32 * 1024;
/// The most user data, in bytes of its JSON: it travels as one environment variable.
const MOST_USER_DATA: usize = 64 * 1024;
/// The most CPU, in cores.
const MOST_CPUS: f64 = 1024.0;
/// The least memory that an engine accepts, in MB.
const LEAST_MEMORY_MB: f64 = 6.0;
/// The most memory, in MB.
const MOST_MEMORY_MB: f64 = 16.0 * 1024.0 * 1024.0;

impl ImageDescription {
    /// The model of this description, everything that it leaves out filled in.
    ///
    /// # Errors
    /// Names the first field that does not have the accepted form.
    pub fn to_spec(&self, defaults: &Defaults) -> Result<ContainerSpec> {
        let (placement, labels) = placement(self.kind.as_deref(), &self.labels)?;
        Ok(ContainerSpec {
            image: image(&self.name, defaults)?,
            limits: limits(self.cpus, self.cpu_limit, self.memory, defaults)?,
            cpuset: cpuset(self.cpuset.as_deref())?,
            entrypoint: texts("entrypoint", &self.entrypoint)?,
            args: texts("args", &self.args)?,
            environment: environment(&self.environment)?,
            hostname: host_name("hostname", self.hostname.as_deref())?,
            domainname: host_name("domainname", self.domainname.as_deref())?,
            placement,
            labels,
            ports: ports(&self.bind_ports)?,
            publish_all: self.publish.unwrap_or(false),
            user_data: user_data(&self.user_data)?,
            volumes: volumes(&self.volumes)?,
            links: links(&self.links)?,
            restart: restart(self.restart_policy.as_ref())?,
            network: NetworkMode::parse(self.network_mode.as_deref().unwrap_or_default())
                .map_err(|invalid| FieldError::of("network_mode", &invalid))?,
            single_writer: self.single_writer.unwrap_or(false),
        })
    }
}

fn image(name: &str, defaults: &Defaults) -> Result<ImageReference> {
    let name = if name.is_empty() { defaults.image.as_deref().unwrap_or_default() } else { name };
    ImageReference::parse(name).map_err(|invalid| FieldError::of("name", &invalid))
}

fn limits(cpus: Option<f64>, cpu_limit: Option<f64>, memory: Option<f64>, defaults: &Defaults) -> Result<Limits> {
    let cpus = cpus.filter(|&cpus| cpus != 0.0);
    let cpu_limit = cpu_limit.filter(|&limit| limit != 0.0);
    let memory = memory.filter(|&memory| memory != 0.0);
    if !cpus.is_none_or(|cpus| (0.001..=MOST_CPUS).contains(&cpus)) {
        return Err(FieldError::new("cpus", "a number of cores from 0.001 to 1024, or 0 for the default"));
    }
    if !memory.is_none_or(|memory| (LEAST_MEMORY_MB..=MOST_MEMORY_MB).contains(&memory)) {
        return Err(FieldError::new("memory", "a number of MB from 6 to 16777216, or 0 for the default"));
    }
    // All are in range, so that rounding up to whole units cannot overflow.
    let millis = |cores: f64| (cores * 1000.0 - 1e-6).ceil() as u64;
    let memory_mb = memory.map(|memory| memory.ceil() as u64);
    let reserved = Resources::new(
        cpus.map_or(defaults.reserved.cpu_millis, millis),
        memory_mb.unwrap_or(defaults.reserved.memory_mb),
    );
    let usual = if cpus.is_some() { reserved.cpu_millis } else { DEFAULT_CPU_LIMIT_MILLIS.max(reserved.cpu_millis) };
    let cpu_limit_millis = cpu_limit.filter(|limit| (0.001..=MOST_CPUS).contains(limit)).map(millis);
    match (cpu_limit, cpu_limit_millis) {
        (None, _) => Ok(Limits { reserved, cpu_limit_millis: usual }),
        (_, Some(cpu_limit_millis)) if cpu_limit_millis >= reserved.cpu_millis => {
            Ok(Limits { reserved, cpu_limit_millis })
        }
        _ => Err(FieldError::new("cpu_limit", "a number of cores up to 1024, and at least what is reserved (cpus)")),
    }
}

fn cpuset(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let is_core = |core: &str| core.len() <= 4 && core.parse::<u16>().is_ok();
    let is_range = |part: &str| match part.split_once('-') {
        Some((from, to)) => is_core(from) && is_core(to) && from.parse::<u16>().ok() <= to.parse::<u16>().ok(),
        None => is_core(part),
    };
    if text.len() <= 255 && text.split(',').all(is_range) {
        Ok(Some(text.to_owned()))
    } else {
        Err(FieldError::new("cpuset", "a list of cores such as 0-2,5"))
    }
}

/// A text that can be given to a process: bounded, without NUL.
fn is_argument(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && !text.contains('\0')
}

fn texts(field: &str, list: &[String]) -> Result<Vec<String>> {
    bounded(field, list.len())?;
    match list.iter().position(|text| !is_argument(text)) {
        None => Ok(list.to_vec()),
        Some(at) => Err(FieldError::new(format!("{field}[{at}]"), "a text of at most 32768 bytes without NUL")),
    }
}

fn bounded(field: &str, entries: usize) -> Result<()> {
    if entries <= MOST_ENTRIES { Ok(()) } else { Err(FieldError::new(field, "at most 256 entries")) }
}

fn environment(map: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    bounded("environment", map.len())?;
    for (key, value) in map {
        let key_ok = (1..=255).contains(&key.len())
            && !key.as_bytes()[0].is_ascii_digit()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !key_ok {
            return Err(FieldError::new(
                "environment",
                "a map whose names are 1 to 255 letters, digits, '_', '.' and '-', not starting with a digit",
            ));
        }
        if !is_argument(value) {
            return Err(FieldError::new(format!("environment.{key}"), "a text of at most 32768 bytes without NUL"));
        }
    }
    Ok(map.clone())
}

fn host_name(field: &str, text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if text.len() <= 253 && text.split('.').all(label_ok) {
        Ok(Some(text.to_owned()))
    } else {
        Err(FieldError::new(field, "a host name: labels of 1 to 63 letters, digits and hyphens, with dots between"))
    }
}

/// Type and labels belong together: `host` takes its engine from the label `host:<id>`.
fn placement(kind: Option<&str>, labels: &[String]) -> Result<(Placement, Vec<LabelExpression>)> {
    bounded("labels", labels.len())?;
    let mut host = None;
    let mut expressions = Vec::new();
    for (at, label) in labels.iter().enumerate().filter(|(_, label)| !label.is_empty()) {
        let field = format!("labels[{at}]");
        match label.strip_prefix("host:") {
            Some(id) if kind == Some("host") => {
                host = Some(EngineId::parse(id).map_err(|invalid| FieldError::of(field, &invalid))?);
            }
            _ => expressions.push(LabelExpression::parse(label).map_err(|invalid| FieldError::of(field, &invalid))?),
        }
    }
    let placement = match kind.unwrap_or_default() {
        "" | "service" | "application" => Placement::Service,
        "unique" => Placement::Unique,
        "multi" => Placement::Multi,
        "host" => Placement::Host(
            host.ok_or_else(|| FieldError::new("labels", "a list with host:<engine id> when the type is host"))?,
        ),
        _ => return Err(FieldError::new("type", "service, application, unique, multi or host")),
    };
    Ok((placement, expressions))
}

fn ports(list: &[PortDescription]) -> Result<Vec<PortRequest>> {
    bounded("bind_ports", list.len())?;
    let requests: Vec<PortRequest> = list
        .iter()
        .enumerate()
        .map(|(at, port)| port_request(&format!("bind_ports[{at}]"), port))
        .collect::<Result<_>>()?;
    for (at, request) in requests.iter().enumerate() {
        if let Some(first) = requests[..at].iter().position(|earlier| collide(earlier, request)) {
            let expected = format!("another port of the host than that of bind_ports[{first}], or empty to choose one");
            return Err(FieldError::new(format!("bind_ports[{at}].port"), expected));
        }
    }
    Ok(requests)
}

/// Whether two requests want the same port of a host. All addresses include each.
fn collide(one: &PortRequest, other: &PortRequest) -> bool {
    let covers = |ip: Option<std::net::IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
    one.host_port.is_some()
        && one.host_port == other.host_port
        && one.protocol == other.protocol
        && (one.host_ip == other.host_ip || covers(one.host_ip) || covers(other.host_ip))
}

fn port_request(field: &str, port: &PortDescription) -> Result<PortRequest> {
    let protocol = if port.proto.is_empty() { Ok(Protocol::Tcp) } else { Protocol::parse(&port.proto) };
    let protocol = protocol.map_err(|invalid| FieldError::of(format!("{field}.proto"), &invalid))?;
    let host_ip = match port.host_ip.as_str() {
        "" => None,
        ip => Some(
            ip.parse().map_err(|_| FieldError::new(format!("{field}.host_ip"), "an IP address, or empty for all"))?,
        ),
    };
    let number = |name: &str, port: Option<&PortNumber>| match port {
        None => Ok(None),
        Some(PortNumber::Text(text)) if text.is_empty() => Ok(None),
        Some(port) => match port.number() {
            Some(0) => Ok(None),
            Some(number) => Ok(Some(number)),
            None => Err(FieldError::new(format!("{field}.{name}"), "a port number from 1 to 65535")),
        },
    };
    let host_port = number("port", port.port.as_ref())?;
    let container_port = number("container_port", port.container_port.as_ref())?
        .ok_or_else(|| FieldError::new(format!("{field}.container_port"), "a port number from 1 to 65535"))?;
    Ok(PortRequest { protocol, host_ip, host_port, container_port })
}

fn user_data(map: &BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, Vec<String>>> {
    bounded("user_data", map.len())?;
    let size: usize =
        map.iter().map(|(key, list)| key.len() + list.iter().map(|text| text.len() + 4).sum::<usize>() + 8).sum();
    if size > MOST_USER_DATA
        || map.iter().any(|(key, list)| !is_argument(key) || !list.iter().all(|text| is_argument(text)))
    {
        return Err(FieldError::new("user_data", "a map of lists of texts, at most 65536 bytes in all, without NUL"));
    }
    Ok(map.clone())
}

fn volumes(list: &[String]) -> Result<Vec<Volume>> {
    bounded("volumes", list.len())?;
    let parse = |(at, text): (usize, &String)| {
        Volume::parse(text).map_err(|invalid| FieldError::of(format!("volumes[{at}]"), &invalid))
    };
    list.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(parse).collect()
}

fn links(map: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    bounded("links", map.len())?;
    let is_name = |text: &str| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let clean = |name: &str| name.trim_start_matches('/').to_owned();
    if map.iter().all(|(name, alias)| is_name(&clean(name)) && is_name(alias)) {
        Ok(map.iter().map(|(name, alias)| (clean(name), alias.clone())).collect())
    } else {
        Err(FieldError::new(
            "links",
            "a map from container names to aliases, each 1 to 128 letters, digits, '.', '_' and '-'",
        ))
    }
}

fn restart(policy: Option<&RestartDescription>) -> Result<RestartPolicy> {
    let Some(policy) = policy else { return Ok(RestartPolicy::Always) };
    match policy.name.as_str() {
        "" | "always" | "unless-stopped" => Ok(RestartPolicy::Always),
        "no" => Ok(RestartPolicy::No),
        "on-failure" => Ok(RestartPolicy::OnFailure { maximum_retry_count: policy.maximum_retry_count.unwrap_or(0) }),
        _ => Err(FieldError::new("restart_policy.name", "always, on-failure or no")),
    }
}
