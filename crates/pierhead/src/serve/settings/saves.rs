//! How much may be kept of workspaces, and where.

use super::ServeArgs;
use anyhow::{Result, bail};
use pierhead_model::{SaveLimits, SaveRegistry, SaveTotals};

impl ServeArgs {
    pub(super) fn save_limits(&self) -> Result<SaveLimits> {
        let given = [self.person_saves, self.person_saved, self.environment_saves, self.environment_saved];
        if given.contains(&Some(0)) {
            bail!("--person-saves, --person-saved, --environment-saves and --environment-saved must be at least 1");
        }
        let most = |count: Option<u64>, megabytes: Option<u64>, default: SaveTotals| SaveTotals {
            count: count.unwrap_or(default.count),
            bytes: megabytes.map_or(default.bytes, |megabytes| megabytes.saturating_mul(1 << 20)),
        };
        let default = SaveLimits::default();
        Ok(SaveLimits {
            person: most(self.person_saves, self.person_saved, default.person),
            environment: most(self.environment_saves, self.environment_saved, default.environment),
        })
    }

    pub(super) fn save_registry(&self) -> Result<Option<SaveRegistry>> {
        Ok(self.save_registry.as_deref().map(SaveRegistry::parse).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saves_go_to_no_registry_unless_one_is_named() {
        assert_eq!(ServeArgs::default().save_registry().unwrap(), None);
        let named =
            |text: &str| ServeArgs { save_registry: Some(text.to_owned()), ..ServeArgs::default() }.save_registry();
        assert_eq!(named("r.lan:5000/x").unwrap().unwrap().to_string(), "r.lan:5000/x");
        assert!(named("r.lan:5000/X").unwrap_err().to_string().contains("save-registry must be"));
    }

    #[test]
    fn limits_are_what_is_said_or_the_default() {
        assert_eq!(ServeArgs::default().save_limits().unwrap(), SaveLimits::default());
        let args = ServeArgs { person_saves: Some(3), environment_saved: Some(7), ..ServeArgs::default() };
        let limits = args.save_limits().unwrap();
        let default = SaveLimits::default();
        assert_eq!(limits.person, SaveTotals { count: 3, ..default.person });
        assert_eq!(limits.environment, SaveTotals { bytes: 7 << 20, ..default.environment });
        let none = ServeArgs { person_saved: Some(0), ..ServeArgs::default() };
        assert!(none.save_limits().unwrap_err().to_string().contains("at least 1"));
    }
}
