//! How ports of workspaces look.

use super::table;
use pierhead_wire::PortView;

/// What `workspace ports` prints.
pub(crate) fn ports(ports: &[PortView], width: Option<u16>) -> String {
    let row = |port: &PortView| vec![port.port.to_string(), port.container.clone(), state(port)];
    table(&["PORT", "CONTAINER", "STATE"], ports.iter().map(row), width)
}

fn state(port: &PortView) -> String {
    match (port.listening, port.only_inside, &port.shows) {
        (true, false, None) => "in use".to_owned(),
        (true, false, Some(other)) => format!("in use, its address shows {other}"),
        (true, true, _) => "in use, inside of the container only".to_owned(),
        (false, ..) => "nothing listens yet".to_owned(),
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
            shows: None,
        };
        let second = PortView { container: "db".to_owned(), shows: Some("main".to_owned()), ..port(80, true, false) };
        let listed = [port(80, true, false), second, port(5000, true, true), port(8000, false, false)];
        let shown = ports(&listed, None);
        let lines: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "PORT CONTAINER STATE",
                "80 main in use",
                "80 db in use, its address shows main",
                "5000 main in use, inside of the container only",
                "8000 main nothing listens yet"
            ]
        );
    }
}
