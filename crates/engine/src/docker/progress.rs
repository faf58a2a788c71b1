//! How far a pull is, from what an engine tells of each layer. Pure.

use bollard::models::CreateImageInfo;
use std::collections::HashMap;

/// The share of a layer's work, in thousandths, that is done when it has come over the network; the rest is
/// unpacking.
const DOWNLOADED: u64 = 700;
/// A layer that is done.
const DONE: u64 = 1000;

/// The layers of a pull. All count the same, because their sizes are known only when each begins to come.
#[derive(Debug, Default)]
pub(super) struct Layers {
    layers: HashMap<String, u64>,
}

impl Layers {
    /// Takes a message and gives the share that is done, 0 to 99: only the end of the stream is the whole.
    pub(super) fn tell(&mut self, message: &CreateImageInfo) -> Option<u8> {
        let id = message.id.as_deref()?;
        let share = |whole: u64| {
            let detail = message.progress_detail.as_ref();
            let part = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
            let (current, total) = (part(detail.and_then(|d| d.current)), part(detail.and_then(|d| d.total)));
            (whole * current.min(total)).checked_div(total).unwrap_or(0)
        };
        let done = match message.status.as_deref()? {
            "Pulling fs layer" | "Waiting" => 0,
            "Downloading" => share(DOWNLOADED),
            "Verifying Checksum" | "Download complete" => DOWNLOADED,
            "Extracting" => DOWNLOADED + share(DONE - DOWNLOADED),
            "Pull complete" | "Already exists" => DONE,
            // "Pulling from library/x" bears the tag as its id.
            _ => return None,
        };
        let layer = self.layers.entry(id.to_owned()).or_default();
        *layer = done.max(*layer);
        let whole = DONE * self.layers.len() as u64;
        let percent = 100 * self.layers.values().sum::<u64>() / whole;
        Some(u8::try_from(percent.min(99)).unwrap_or(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ProgressDetail;

    fn message(id: &str, status: &str, current: i64, total: i64) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.into()),
            status: Some(status.into()),
            progress_detail: Some(ProgressDetail { current: Some(current), total: Some(total) }),
            ..CreateImageInfo::default()
        }
    }

    #[test]
    fn layers_add_up() {
        let mut layers = Layers::default();
        for (step, expected) in [
            (message("latest", "Pulling from library/x", 0, 0), None),
            (message("a", "Pulling fs layer", 0, 0), Some(0)),
            (message("b", "Already exists", 0, 0), Some(50)),
            (message("a", "Downloading", 50, 100), Some(67)),
            (message("a", "Download complete", 0, 0), Some(85)),
            (message("a", "Downloading", 1, 100), Some(85)),
            (message("a", "Extracting", 100, 100), Some(99)),
            (message("a", "Pull complete", 0, 0), Some(99)),
        ] {
            assert_eq!(layers.tell(&step), expected, "{step:?}");
        }
    }

    #[test]
    fn absurd_figures_do_no_harm() {
        let mut layers = Layers::default();
        assert_eq!(layers.tell(&message("a", "Downloading", 900, 100)), Some(70));
        assert_eq!(layers.tell(&message("a", "Downloading", -5, -1)), Some(70));
        assert_eq!(layers.tell(&message("a", "Downloading", 5, 0)), Some(70));
        assert_eq!(layers.tell(&CreateImageInfo::default()), None);
    }
}
