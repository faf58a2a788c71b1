//! How ports of workspaces look.

use super::table;
use pierhead_wire::PortView;

/// What `workspace ports` prints.
pub(crate) fn ports(ports: &[PortView], width: Option<u16>) -> String {
    let row = |port: &PortView| vec![port.port.to_string(), port.container.clone(), state(port).to_owned()];
    table(&["PORT", "CONTAINER", "STATE"], ports.iter().map(row), width)
}

fn state(port: &PortView) -> &'static str {
    match (port.listening, port.only_inside) {
        (true, false) => "in use",
        (true, true) => "in use, inside of the container only",
        (false, _) => "nothing listens yet",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_says_whether_it_can_be_seen() {
        let port = |port, listening, only_inside| PortView {
            port,
            container: "main".to_owned(),
            declared: false,
            listening,
            only_inside,
        };
        let listed = [port(80, true, false), port(5000, true, true), port(8000, false, false)];
        let shown = ports(&listed, None);
        let lines: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "PORT CONTAINER STATE",
                "80 main in use",
                "5000 main in use, inside of the container only",
                "8000 main nothing listens yet"
            ]
        );
    }
}
