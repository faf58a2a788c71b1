//! The agent as a service of systemd: joins first, so that no token stands in the unit.

use super::HostArgs;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const UNIT: &str = "/etc/systemd/system/pierhead-agent.service";

/// Joins, writes the unit and starts it; or prints the unit and does nothing.
pub(super) async fn install(args: &HostArgs, print: bool, json: bool) -> Result<()> {
    let program = std::env::current_exe().context("the path of this program")?;
    can_be_served(&program, args)?;
    let unit = unit(&program, args)?;
    if print {
        match json {
            true => println!("{}", serde_json::json!({ "path": UNIT, "unit": unit })),
            false => print!("{unit}"),
        }
        return Ok(());
    }
    let identity = args.identity().await?;
    std::fs::write(UNIT, unit).with_context(|| format!("{UNIT} cannot be written; run this as root"))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", "pierhead-agent"])?;
    // One that runs already takes up the new settings.
    systemctl(&["restart", "pierhead-agent"])?;
    match json {
        true => println!("{}", serde_json::json!({ "path": UNIT, "engine": identity.engine })),
        false => println!("this host is {} in the pool; its agent runs, and starts with the machine", identity.engine),
    }
    Ok(())
}

/// Whether a service finds all that it needs: it runs in no directory of anybody's, and has temporary ones of its own.
fn can_be_served(program: &Path, args: &HostArgs) -> Result<()> {
    if let Some(dir) = temporary(program) {
        bail!(
            "this program is {}, and a service does not see what is in {dir}: copy it first, \
             'install -m 755 {} /usr/local/bin/pierhead', and run that",
            program.display(),
            program.display()
        );
    }
    for (flag, path) in [("--state-dir", &args.state_dir), ("--docker-socket", &args.docker_socket)] {
        if !path.is_absolute() {
            bail!("{flag} {} must begin with '/': a service runs in no directory of yours", path.display());
        }
        if let Some(dir) = temporary(path) {
            bail!("{flag} {} must be elsewhere: a service does not see what is in {dir}", path.display());
        }
    }
    Ok(())
}

/// The directory of what is temporary in which a path is.
fn temporary(path: &Path) -> Option<&'static str> {
    ["/tmp", "/var/tmp"].into_iter().find(|dir| path.starts_with(dir))
}

fn systemctl(words: &[&str]) -> Result<()> {
    let ended = Command::new("systemctl").args(words).status();
    match ended.with_context(|| format!("systemctl {} could not be run", words.join(" ")))? {
        status if status.success() => Ok(()),
        status => bail!("systemctl {} failed: {status}", words.join(" ")),
    }
}

fn unit(program: &Path, args: &HostArgs) -> Result<String> {
    let state = args.state_dir.display().to_string();
    let socket = args.docker_socket.display().to_string();
    let mut words = vec![program.display().to_string(), "agent".to_owned()];
    words.extend(["--docker-socket".to_owned(), socket, "--state-dir".to_owned(), state.clone()]);
    for controller in args.controllers()? {
        words.extend(["--controller".to_owned(), controller]);
    }
    let more = args.labels.iter().map(|label| ("--label", label.clone()));
    let more = more.chain(args.address.iter().map(|address| ("--address", address.clone())));
    for (flag, value) in more.chain(args.forbid.iter().map(|forbid| ("--forbid", forbid.to_string()))) {
        words.extend([flag.to_owned(), value]);
    }
    let command = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    Ok(format!(
        "[Unit]
Description=Pierhead agent
After=network-online.target docker.service
Wants=network-online.target
# It is tried for ever: a host whose agent has given up is lost to its pool.
StartLimitIntervalSec=0

[Service]
ExecStart={command}
Restart=always
RestartSec=200ms
# A stop of the agent stops nothing else: containers are the engine's.
KillMode=process
OOMScoreAdjust=-500
UMask=0077
NoNewPrivileges=yes
# It knocks at other hosts, ends what must not run twice when Docker hangs, and keeps workspaces apart.
CapabilityBoundingSet=CAP_KILL CAP_NET_ADMIN CAP_NET_RAW
ProtectSystem=strict
# Read only, not hidden: the program may be there.
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
ReadWritePaths={}

[Install]
WantedBy=multi-user.target
",
        quoted(&state)
    ))
}

/// A word as units have it: in quotes, nothing in it meaning anything.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.:[]=".contains(&byte);
    if word.bytes().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '%' | '$' => text.extend([letter, letter]),
            letter if letter.is_control() => text.push('?'),
            letter => text.push(letter),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_agent::Forbid;
    use std::path::PathBuf;

    fn args(state: &str) -> HostArgs {
        HostArgs {
            join: Some("pj1-s3cret".to_owned()),
            controllers: vec!["pool.lan:7443".to_owned()],
            id: None,
            labels: vec![],
            address: None,
            forbid: vec![],
            docker_socket: PathBuf::from("/run/docker.sock"),
            state_dir: PathBuf::from(state),
        }
    }

    #[test]
    fn the_unit_runs_the_agent_without_its_token() {
        let unit = unit(Path::new("/usr/local/bin/pierhead"), &args("/var/lib/pierhead-agent")).unwrap();
        let command = "ExecStart=/usr/local/bin/pierhead agent --docker-socket /run/docker.sock --state-dir \
                       /var/lib/pierhead-agent --controller pool.lan:7443\n";
        assert!(unit.contains(command), "{unit}");
        assert!(unit.contains("ReadWritePaths=/var/lib/pierhead-agent\n") && unit.contains("Restart=always"));
        assert!(!unit.contains("s3cret"));
    }

    #[test]
    fn what_was_said_of_the_host_is_said_at_each_start() {
        let told = HostArgs {
            labels: vec!["ssd".to_owned(), "rack:2".to_owned()],
            address: Some("web.lan".to_owned()),
            forbid: vec![Forbid::HostPaths, Forbid::HostNetwork],
            ..args("/s")
        };
        let unit = unit(Path::new("/p"), &told).unwrap();
        let words = "--label ssd --label rack:2 --address web.lan --forbid host-paths --forbid host-network\n";
        assert!(unit.contains(words), "{unit}");
    }

    #[test]
    fn what_a_service_would_not_find_is_refused() {
        let state = "/var/lib/pierhead-agent";
        let refused =
            |program: &str, args: &HostArgs| can_be_served(Path::new(program), args).map_err(|error| error.to_string());
        assert_eq!(refused("/usr/local/bin/pierhead", &args(state)), Ok(()));
        let words = refused("/tmp/x/pierhead", &args(state)).unwrap_err();
        assert!(words.contains("install -m 755 /tmp/x/pierhead /usr/local/bin/pierhead"), "{words}");
        for (state, expected) in
            [("rel", "--state-dir rel must begin with '/'"), ("/var/tmp/s", "--state-dir /var/tmp/s must be elsewhere")]
        {
            let words = refused("/usr/bin/pierhead", &args(state)).unwrap_err();
            assert!(words.contains(expected), "{words}");
        }
        let socket = HostArgs { docker_socket: PathBuf::from("docker.sock"), ..args(state) };
        assert!(
            refused("/usr/bin/pierhead", &socket).unwrap_err().starts_with("--docker-socket docker.sock must begin")
        );
    }

    /// By systemd itself, where it is there.
    #[test]
    fn systemd_understands_the_unit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pierhead-agent.service");
        let program = std::env::current_exe().unwrap();
        std::fs::write(&file, unit(&program, &args("/var/lib/pierhead-agent")).unwrap()).unwrap();
        let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&file).output() else { return };
        let told = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(!told.contains("pierhead-agent"), "{told}");
    }

    #[test]
    fn words_mean_nothing_to_systemd() {
        assert_eq!(quoted("/a b"), "\"/a b\"");
        assert_eq!(quoted("/a%b$c\"d\\e\nf"), "\"/a%%b$$c\\\"d\\\\e?f\"");
        let unit = unit(Path::new("/p"), &args("/a b")).unwrap();
        assert!(
            unit.contains("--state-dir \"/a b\" --controller") && unit.contains("ReadWritePaths=\"/a b\"\n"),
            "{unit}"
        );
    }
}
