//! Carries out one step of a workspace on its host.

use super::priming;
use crate::engines::Link;
use crate::execute::Executor;
use pierhead_engine::{CreateRequest, EngineError, NetworkRequest, WorkspacePart, processes};
use pierhead_model::{
    ContainerId, ContainerSpec, EnvironmentContainer, Failure, FailureKind, ImageReference, MemberName,
    ObservedContainer, RestartPolicy, SaveId, WorkspaceId,
};
use pierhead_planner::{NewNetwork, NewWorkspaceContainer, SaveOrder, WorkspaceAction, WorkspaceStep};
use std::collections::BTreeMap;

impl Executor {
    /// Carries out one step of a workspace; the world knows the result when this returns.
    pub(crate) async fn carry_out_for_workspace(&self, action: &WorkspaceAction) -> Result<(), Failure> {
        let Some(link) = self.engines.link(&action.engine) else {
            return Err(Failure::new(FailureKind::Unreachable, format!("host {} is not in the pool", action.engine)));
        };
        let result = match &action.step {
            WorkspaceStep::Create { network, containers, from } => {
                self.make_workspace(&link, &action.workspace, network, containers, from.as_ref()).await
            }
            WorkspaceStep::Start(id) => self.start(&link, id).await,
            WorkspaceStep::Prime { container, files, script, .. } => {
                let _permit = link.others.acquire().await;
                return self
                    .holding(priming::prime(&link.engine, container, (files, &self.library), script.as_deref()))
                    .await;
            }
            WorkspaceStep::Pause(containers) => self.freeze(&link, containers, true).await,
            WorkspaceStep::Unpause(containers) => self.freeze(&link, containers, false).await,
            // Who opens terminals does it.
            WorkspaceStep::OpenShell { .. } => Ok(()),
            WorkspaceStep::Save(order) => return self.save_whole(&link, order).await,
            WorkspaceStep::Remove { containers, network } => self.remove_workspace(&link, containers, network).await,
        };
        if let Err(error) = &result {
            tracing::info!(engine = %action.engine, workspace = %action.workspace, %error, "a step failed");
            link.relist();
        }
        result.map_err(|error| error.failure())
    }

    /// Saves a workspace as a whole. One that stops is stopped before, so that nothing is written that is not in the save;
    /// if it can't be saved, people can go on working in it, unless it would go on filling its host's disk.
    async fn save_whole(&self, link: &Link, order: &SaveOrder) -> Result<(), Failure> {
        if !order.stops {
            return self.save_workspace(link, order).await;
        }
        let saved = match self.stop_all(link, order).await {
            Ok(()) => self.save_workspace(link, order).await,
            Err(error) => Err(error.failure()),
        };
        if saved.is_err() && order.restarts && !self.engines.is_over_disk(&order.workspace) {
            for container in &order.containers {
                if let Err(error) = self.start(link, &container.id).await {
                    tracing::warn!(container = %container.id, %error, "what could not be saved could not be started again");
                }
            }
        }
        saved
    }

    /// Freezes containers, or lets them go on. Nobody waits behind starts for that.
    async fn freeze(&self, link: &Link, containers: &[ContainerId], pauses: bool) -> Result<(), EngineError> {
        for id in containers {
            match pauses {
                true => self.leading(link.engine.pause(id)).await?,
                false => self.leading(link.engine.unpause(id)).await?,
            }
            self.engines.refresh(link, id).await;
        }
        Ok(())
    }

    async fn stop_all(&self, link: &Link, order: &SaveOrder) -> Result<(), EngineError> {
        for container in &order.containers {
            self.leading(link.engine.stop(&container.id, self.options.stop_grace_seconds)).await?;
            self.engines.refresh(link, &container.id).await;
        }
        Ok(())
    }

    /// Makes the network and what is missing of the containers, and starts these. If one fails, those that were made go.
    async fn make_workspace(
        &self,
        link: &Link,
        workspace: &WorkspaceId,
        network: &NewNetwork,
        containers: &[NewWorkspaceContainer],
        from: Option<&SaveId>,
    ) -> Result<(), EngineError> {
        let images = self.workspace_images(link, containers, from).await?;
        self.make_network(link, workspace, network, containers).await?;
        let mut created = Vec::new();
        for container in containers {
            let made = self.make_container(link, network, container, &images, &mut created).await;
            if let Err(error) = made {
                self.take_back(link, &created).await;
                // Others of the workspace may be in it; then it stays, and is tried again with them.
                let _in_use = self.leading(link.engine.remove_network(&network.name)).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// The image of each container: of the save, or of its environment.
    async fn workspace_images(
        &self,
        link: &Link,
        containers: &[NewWorkspaceContainer],
        from: Option<&SaveId>,
    ) -> Result<BTreeMap<MemberName, ImageReference>, EngineError> {
        if let Some(save) = from {
            let names: Vec<MemberName> =
                containers.iter().map(|container| container.description.name.clone()).collect();
            return self.fetch_save(link, save, &names).await;
        }
        let mut images = BTreeMap::new();
        for container in containers {
            let image = self.environment_image(link, &container.description.image).await?;
            images.insert(container.description.name.clone(), image);
        }
        Ok(images)
    }

    /// A network of that name may be there from an earlier try, or from a copy that is gone.
    async fn make_network(
        &self,
        link: &Link,
        workspace: &WorkspaceId,
        network: &NewNetwork,
        containers: &[NewWorkspaceContainer],
    ) -> Result<(), EngineError> {
        let asks = containers.first().map(|container| container.asks).unwrap_or_default();
        let request = NetworkRequest::of_workspace(workspace, network.subnet, network.labels.clone(), &asks);
        match self.leading(link.engine.create_network(&request)).await {
            Err(EngineError::NameTaken) => {}
            done => return done,
        }
        let there = link.engine.networks().await?.into_iter().find(|there| there.name == network.name);
        match there {
            Some(there) if there.labels == network.labels && there.subnet == Some(network.subnet) => Ok(()),
            Some(_) => {
                self.leading(link.engine.remove_network(&network.name)).await?;
                self.leading(link.engine.create_network(&request)).await
            }
            None => Err(EngineError::NameTaken),
        }
    }

    async fn make_container(
        &self,
        link: &Link,
        network: &NewNetwork,
        container: &NewWorkspaceContainer,
        images: &BTreeMap<MemberName, ImageReference>,
        created: &mut Vec<ContainerId>,
    ) -> Result<(), EngineError> {
        let described = &container.description;
        let no_image = || EngineError::NoImage(format!("the save has no container {}", described.name));
        let image = images.get(&described.name).ok_or_else(no_image)?;
        let request = request(container, image, &network.name, self.options.policy.workspace_disk_mb);
        let _permit = link.starts.acquire().await;
        let id = match self.leading(link.engine.create(&request)).await {
            Ok(id) => id,
            Err(EngineError::NameTaken) => self.adopt_for_workspace(link, &request).await?,
            Err(error) => return Err(error),
        };
        created.push(id.clone());
        self.leading(link.engine.start(&id)).await?;
        self.engines.refresh(link, &id).await;
        Ok(())
    }

    /// A container of that name is there: ours, if an earlier reply was lost; else the name is taken.
    async fn adopt_for_workspace(&self, link: &Link, request: &CreateRequest) -> Result<ContainerId, EngineError> {
        let is_same = |found: &ObservedContainer| {
            found.name == request.name && request.labels.iter().all(|(key, value)| found.labels.get(key) == Some(value))
        };
        let found = link.engine.containers().await?.into_iter().find(is_same);
        found.map(|found| found.id).ok_or(EngineError::NameTaken)
    }

    async fn remove_workspace(
        &self,
        link: &Link,
        containers: &[ContainerId],
        network: &str,
    ) -> Result<(), EngineError> {
        let _permit = link.others.acquire().await;
        for id in containers {
            self.leading(link.engine.remove(id)).await?;
            self.engines.forget(link, id);
        }
        if network.is_empty() {
            return Ok(());
        }
        self.leading(link.engine.remove_network(network)).await
    }

    /// Goes on while this controller leads.
    async fn holding(&self, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        let mut told = Ok(());
        let done = self.leading(async {
            told = work.await;
            Ok(())
        });
        done.await.map_err(|error| error.failure())?;
        told
    }
}

/// What the engine is told of a container of a workspace.
fn request(container: &NewWorkspaceContainer, image: &ImageReference, network: &str, disk_mb: u64) -> CreateRequest {
    let described = &container.description;
    let part = WorkspacePart {
        user: described.user.clone(),
        working_dir: described.working_dir.clone(),
        disk_mb: Some(disk_mb),
        ..WorkspacePart::new(network, described.name.as_str(), &container.asks)
    };
    CreateRequest {
        name: container.name.clone(),
        spec: spec(described, image),
        ports: Vec::new(),
        labels: container.labels.clone(),
        pids_limit: processes(&container.asks),
        engine_restarts: false,
        workspace: Some(part),
    }
}

fn spec(described: &EnvironmentContainer, image: &ImageReference) -> ContainerSpec {
    ContainerSpec {
        args: described.command.clone(),
        environment: described.environment.clone(),
        hostname: Some(described.name.to_string()),
        restart: RestartPolicy::No,
        ..ContainerSpec::new(image.clone(), described.limits)
    }
}
