//! The agent as a service of systemd: joins first, so that no token stands in the unit.

use super::HostArgs;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const UNIT: &str = "/etc/systemd/system/pierhead-agent.service";

/// Joins, writes the unit and starts it; or prints the unit and does nothing.
pub(super) async fn install(args: &HostArgs, print: bool) -> Result<()> {
    let program = std::env::current_exe().context("the path of this program")?;
    let unit = unit(&program, args)?;
    if print {
        print!("{unit}");
        return Ok(());
    }
    let identity = args.identity().await?;
    std::fs::write(UNIT, unit).with_context(|| format!("{UNIT} cannot be written; run this as root"))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", "pierhead-agent"])?;
    // One that runs already takes up the new settings.
    systemctl(&["restart", "pierhead-agent"])?;
    println!("this host is {} in the pool; its agent runs, and starts with the machine", identity.engine);
    Ok(())
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
    let command = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    Ok(format!(
        "[Unit]
Description=Pierhead agent
After=network-online.target docker.service
Wants=network-online.target

[Service]
ExecStart={command}
Restart=always
RestartSec=1
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
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
    use std::path::PathBuf;

    fn args(state: &str) -> HostArgs {
        HostArgs {
            join: Some("pj1-s3cret".to_owned()),
            controllers: vec!["pool.lan:7443".to_owned()],
            id: None,
            labels: vec![],
            address: None,
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
