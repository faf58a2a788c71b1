//! Examples of ports and where they are seen.

use super::{Example, MOMENT};
use crate::{PortView, PreviewView};

impl Example for PortView {
    fn example() -> Self {
        Self {
            port: 8000,
            container: "main".to_owned(),
            declared: true,
            listening: true,
            only_inside: false,
            shows: None,
        }
    }
}

impl Example for PreviewView {
    fn example() -> Self {
        Self {
            url: "http://8000-k3x9q2m7ab.localhost:8081/?pierhead-ticket=Qm9vdHN0cmFwLWV4YW1wbGUtdGlja2V0LW9uY2Ut"
                .to_owned(),
            expires: MOMENT.to_owned(),
        }
    }
}
