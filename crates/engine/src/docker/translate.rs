//! From our description of a container to Docker's: pure, and the only place where a request is made up.
//!
//! Fields are set one by one from the model, so nothing that a user writes can become a privilege, a device, a
//! capability or a security option, but for what the closed set of a workspace's asks allows. A limit of zero means "none" to Docker and is refused here.

use crate::error::{EngineError, Result};
use crate::request::CreateRequest;
use crate::workspace::{Capability, WorkspacePart};
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType, NetworkingConfig,
    PortBinding, PortMap, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use pierhead_model::{ContainerSpec, HostPort, Volume, VolumeSource};
use std::collections::HashMap;

/// The variable in which a container finds its user data.
pub(super) const USER_DATA: &str = "PIERHEAD_USER_DATA";
/// That no program gives its process more than its parent has.
const NO_NEW_PRIVILEGES: &str = "no-new-privileges";
/// The most that a container's log takes on the host's disk: so many files of this size.
const LOG_FILES: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

/// The body of a create request. `cores` of the host, if they are known, cap the limit of CPU: Docker refuses
/// limits beyond them, although they mean the same as none of its cores being out of bounds.
pub(super) fn create_body(request: &CreateRequest, cores: Option<u64>) -> Result<ContainerCreateBody> {
    let (spec, part) = (&request.spec, request.workspace.as_ref());
    Ok(ContainerCreateBody {
        hostname: spec.hostname.clone(),
        domainname: spec.domainname.clone(),
        exposed_ports: Some(exposed_ports(request)),
        env: Some(environment(spec)?),
        cmd: (!spec.args.is_empty()).then(|| spec.args.clone()),
        entrypoint: (!spec.entrypoint.is_empty()).then(|| spec.entrypoint.clone()),
        image: Some(spec.image.to_string()),
        labels: Some(request.told_labels().into_iter().collect()),
        host_config: Some(match part {
            Some(part) => held(host_config(request, cores)?, part)?,
            None => host_config(request, cores)?,
        }),
        user: part.and_then(|part| part.user.clone()),
        working_dir: part.and_then(|part| part.working_dir.clone()),
        // A shell that reads its commands waits for ever, instead of ending at once.
        open_stdin: part.map(|_| true),
        networking_config: part.map(networking),
        ..ContainerCreateBody::default()
    })
}

fn host_config(request: &CreateRequest, cores: Option<u64>) -> Result<HostConfig> {
    let spec = &request.spec;
    let memory = memory_bytes(spec)?;
    let (mut binds, mut mounts) = (Vec::new(), Vec::new());
    for volume in &spec.volumes {
        match &volume.source {
            VolumeSource::HostPath(path) => binds.push(bind(path, volume)?),
            VolumeSource::Anonymous => mounts.push(mount(None, volume)),
            VolumeSource::Named(name) => mounts.push(mount(Some(name.clone()), volume)),
        }
    }
    Ok(HostConfig {
        nano_cpus: Some(nano_cpus(spec, cores)?),
        cpu_shares: Some(cpu_shares(spec.limits.reserved.cpu_millis)),
        cpuset_cpus: spec.cpuset.clone(),
        memory: Some(memory),
        // Memory and swap together: the same figure leaves no swap.
        memory_swap: Some(memory),
        pids_limit: Some(nonzero(u64::from(request.pids_limit), "processes")?),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(LOG_FILES.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
        }),
        binds: (!binds.is_empty()).then_some(binds),
        mounts: (!mounts.is_empty()).then_some(mounts),
        network_mode: Some(spec.network.to_string()),
        port_bindings: Some(port_bindings(&request.ports)),
        publish_all_ports: Some(spec.publish_all),
        links: (!spec.links.is_empty())
            .then(|| spec.links.iter().map(|(name, alias)| format!("{name}:{alias}")).collect()),
        restart_policy: Some(RestartPolicy {
            name: Some(if request.engine_restarts {
                RestartPolicyNameEnum::UNLESS_STOPPED
            } else {
                RestartPolicyNameEnum::NO
            }),
            maximum_retry_count: None,
        }),
        privileged: Some(false),
        ..HostConfig::default()
    })
}

/// How a container of a workspace is held on top of what holds every container.
fn held(config: HostConfig, part: &WorkspacePart) -> Result<HostConfig> {
    let open_files = nonzero(u64::from(part.open_files), "open files")?;
    let capabilities = part.capabilities.iter().copied().map(Capability::as_str).map(str::to_owned);
    let megabytes = part.disk_mb.map(|megabytes| nonzero(megabytes, "megabytes of disk")).transpose()?;
    Ok(HostConfig {
        network_mode: Some(part.network.clone()),
        // A privileged container has all of them, and to drop them would say otherwise.
        cap_drop: (!part.is_privileged).then(|| vec!["ALL".to_owned()]),
        cap_add: (!part.is_privileged).then(|| capabilities.collect()),
        security_opt: (!part.is_privileged).then(|| vec![NO_NEW_PRIVILEGES.to_owned()]),
        privileged: Some(part.is_privileged),
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(open_files),
            hard: Some(open_files),
        }]),
        // Children that lost their parent would pile up under a program that does not expect them.
        init: Some(true),
        storage_opt: megabytes.map(|megabytes| HashMap::from([("size".to_owned(), format!("{megabytes}m"))])),
        dns: part.resolver.map(|resolver| vec![resolver.to_string()]),
        ..config
    })
}

fn networking(part: &WorkspacePart) -> NetworkingConfig {
    let endpoint = EndpointSettings { aliases: Some(vec![part.alias.clone()]), ..EndpointSettings::default() };
    NetworkingConfig { endpoints_config: Some(HashMap::from([(part.network.clone(), endpoint)])) }
}

fn nonzero(value: u64, what: &str) -> Result<i64> {
    i64::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| EngineError::Refused(format!("a limit of {value} {what} is none that an engine can hold")))
}

fn nano_cpus(spec: &ContainerSpec, cores: Option<u64>) -> Result<i64> {
    let wanted = spec.limits.cpu_limit_millis;
    let millis = cores.map_or(wanted, |cores| wanted.min(cores.saturating_mul(1000)));
    nonzero(millis.saturating_mul(1_000_000), "billionths of a core")
}

fn memory_bytes(spec: &ContainerSpec) -> Result<i64> {
    nonzero(spec.limits.reserved.memory_mb.saturating_mul(1 << 20), "bytes of memory")
}

/// The weight of a container when cores are scarce, 1024 for each reserved core, within the kernel's bounds.
fn cpu_shares(reserved_millis: u64) -> i64 {
    let shares = (reserved_millis.saturating_mul(1024) / 1000).clamp(2, 262_144);
    i64::try_from(shares).unwrap_or(i64::MAX)
}

fn environment(spec: &ContainerSpec) -> Result<Vec<String>> {
    let mut variables: Vec<String> = spec
        .environment
        .iter()
        .filter(|(name, _)| spec.user_data.is_empty() || name.as_str() != USER_DATA)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !spec.user_data.is_empty() {
        let json = serde_json::to_string(&spec.user_data).map_err(|error| EngineError::Refused(error.to_string()))?;
        variables.push(format!("{USER_DATA}={json}"));
    }
    Ok(variables)
}

/// A path of the host, made if it is not there. The engine splits the text at colons, so none may be in a path.
fn bind(path: &str, volume: &Volume) -> Result<String> {
    if path.contains(':') || volume.target.contains(':') || !path.starts_with('/') {
        return Err(EngineError::Refused(format!("the volume '{volume}' has no plain absolute path")));
    }
    Ok(format!("{path}:{}:{}", volume.target, if volume.read_only { "ro" } else { "rw" }))
}

fn mount(source: Option<String>, volume: &Volume) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source,
        target: Some(volume.target.clone()),
        read_only: Some(volume.read_only),
        ..Mount::default()
    }
}

fn exposed_ports(request: &CreateRequest) -> Vec<String> {
    let bound = request.ports.iter().map(|port| format!("{}/{}", port.container_port, port.protocol));
    let wanted = request.spec.ports.iter().map(|port| format!("{}/{}", port.container_port, port.protocol));
    let mut ports: Vec<String> = bound.chain(wanted).collect();
    ports.sort();
    ports.dedup();
    ports
}

fn port_bindings(ports: &[HostPort]) -> PortMap {
    let mut bindings: PortMap = HashMap::new();
    for port in ports {
        let binding =
            PortBinding { host_ip: port.host_ip.map(|ip| ip.to_string()), host_port: Some(port.host_port.to_string()) };
        let key = format!("{}/{}", port.container_port, port.protocol);
        bindings.entry(key).or_default().get_or_insert_default().push(binding);
    }
    bindings
}

#[cfg(test)]
mod tests;
