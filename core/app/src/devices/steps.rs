//! The steps of a machine's way to its owner. The whole list is shown from the start, so that people see how far it is.

use meetme_model::{
    fabric::Address,
    metal::DeviceStep,
    place::{Boot, Image},
};

/// The steps of an installation of `image`, none of them done. `addresses` are those the machine was given.
pub fn steps(image: &Image, addresses: &[&Address]) -> Vec<DeviceStep> {
    let list: Vec<String> = addresses.iter().map(|a| a.ip.ip().to_string()).collect();
    let network = if list.is_empty() {
        "Network configured without addresses".to_owned()
    } else {
        format!("Network configured with addresses {}", list.join(", "))
    };
    let plan: &[(&str, &str)] = match image.boot {
        Boot::Script => &[
            ("provisioning.101", "Provisioning started"),
            ("provisioning.102", &network),
            ("provisioning.103", "Configuration written, restarting device"),
            ("provisioning.104.01", "Device connected to its start script"),
        ],
        Boot::Disk => &[
            ("provisioning.101", "Provisioning started"),
            ("provisioning.102", &network),
            ("provisioning.103", "Configuration written, restarting device"),
            ("provisioning.104", "Connected to the installation system"),
            ("provisioning.105", "Server partitions created"),
            ("provisioning.106", "Operating system packages installed"),
            ("provisioning.107", "Server networking interfaces configured"),
            ("provisioning.108", "Cloud-init packages installed and configured"),
            ("provisioning.109", "Installation finished, rebooting server"),
        ],
    };
    plan.iter()
        .map(|(code, text)| DeviceStep { code: (*code).to_owned(), text: (*text).to_owned(), at: None })
        .collect()
}
