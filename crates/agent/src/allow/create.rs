//! The fields of the bodies: of a container to create, of a network, of an exec, and of its start.
//!
//! What is missing here is missing on purpose: devices, other capabilities and security options than workspaces need,
//! namespaces of the host for processes and users, sysctls, runtimes, cgroups of one's own, and mounts of anything but
//! volumes. What containers of workspaces must have, and others must not, is decided in [`crate::workspaces`].

use super::body::Shape::{self, Flag, List, Map, Name, Nothing, Number, Object, OneOf, Only, Text};
use crate::workspaces::CAPABILITIES;

/// `POST /containers/create`.
pub(super) const CONTAINER: Shape = Object(&[
    ("Image", Name),
    ("Hostname", Text),
    ("Domainname", Text),
    ("User", Text),
    ("WorkingDir", Text),
    ("Env", List(&Text)),
    ("Cmd", List(&Text)),
    ("Entrypoint", List(&Text)),
    ("Labels", Map(&Text)),
    ("ExposedPorts", Map(&Nothing)),
    ("Tty", Flag),
    ("OpenStdin", Flag),
    ("StdinOnce", Flag),
    ("AttachStdin", Flag),
    ("AttachStdout", Flag),
    ("AttachStderr", Flag),
    ("StopSignal", Name),
    ("StopTimeout", Number),
    ("HostConfig", HOST_CONFIG),
    ("NetworkingConfig", Object(&[("EndpointsConfig", Map(&Object(&[("Aliases", List(&Name))])))])),
]);

const HOST_CONFIG: Shape = Object(&[
    ("NanoCpus", Number),
    ("CpuShares", Number),
    ("CpusetCpus", Text),
    ("Memory", Number),
    ("MemorySwap", Number),
    ("PidsLimit", Number),
    ("Privileged", Flag),
    ("CapDrop", List(&OneOf(&["ALL"]))),
    ("CapAdd", List(&OneOf(&CAPABILITIES))),
    ("SecurityOpt", List(&OneOf(&["no-new-privileges"]))),
    ("Ulimits", List(&Object(&[("Name", OneOf(&["nofile"])), ("Soft", Number), ("Hard", Number)]))),
    ("StorageOpt", Object(&[("size", Name)])),
    ("Dns", List(&Name)),
    ("PublishAllPorts", Flag),
    ("Init", Flag),
    ("NetworkMode", Name),
    ("Binds", List(&Text)),
    ("Mounts", List(&MOUNT)),
    ("Links", List(&Text)),
    ("PortBindings", Map(&List(&Object(&[("HostIp", Text), ("HostPort", Text)])))),
    (
        "RestartPolicy",
        Object(&[
            ("Name", OneOf(&["", "no", "always", "unless-stopped", "on-failure"])),
            ("MaximumRetryCount", Number),
        ]),
    ),
    (
        "LogConfig",
        Object(&[
            ("Type", OneOf(&["json-file", "local"])),
            ("Config", Object(&[("max-size", Text), ("max-file", Text)])),
        ]),
    ),
]);

const MOUNT: Shape = Object(&[("Type", OneOf(&["volume"])), ("Source", Name), ("Target", Text), ("ReadOnly", Flag)]);

/// `POST /networks/create`.
pub(super) const NETWORK: Shape = Object(&[
    ("Name", Name),
    ("Driver", OneOf(&["bridge"])),
    ("Internal", Flag),
    ("Attachable", Only(false)),
    ("EnableIPv6", Only(false)),
    ("CheckDuplicate", Flag),
    ("IPAM", Object(&[("Config", List(&Object(&[("Subnet", Text)])))])),
    (
        "Options",
        Object(&[
            ("com.docker.network.bridge.name", Name),
            ("com.docker.network.bridge.enable_icc", OneOf(&["true", "false"])),
            ("com.docker.network.bridge.enable_ip_masquerade", OneOf(&["true", "false"])),
        ]),
    ),
    ("Labels", Map(&Text)),
]);

/// `POST /containers/{id}/exec`.
pub(super) const EXEC: Shape = Object(&[
    ("AttachStdin", Flag),
    ("AttachStdout", Flag),
    ("AttachStderr", Flag),
    ("Tty", Flag),
    ("Cmd", List(&Text)),
    ("Env", List(&Text)),
    ("User", Text),
    ("WorkingDir", Text),
    ("DetachKeys", Text),
    ("ConsoleSize", List(&Number)),
    ("Privileged", Only(false)),
]);

/// `POST /exec/{id}/start`.
pub(super) const EXEC_START: Shape = Object(&[("Detach", Flag), ("Tty", Flag), ("ConsoleSize", List(&Number))]);
