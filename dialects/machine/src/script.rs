//! Scripts for iPXE, which every machine runs first.

use meetme_app::devices::machine::Start;

/// What the customers' scripts are told before they begin, as those of the trade expect it.
pub struct Place<'a> {
    /// The site.
    pub site: &'a str,
    /// The plan.
    pub plan: &'a str,
}

/// The script for what a machine is to start from. `base` is where this listener is reached, `arguments` what the installation
/// system's kernel is told.
pub fn script(start: &Start, base: &str, arguments: &str, place: &Place<'_>) -> String {
    let body = match start {
        Start::Wait => again(base),
        // The firmware goes on with what comes after the network in its order. One of UEFI does so only after a failure: what ends well it
        // takes for a system that has run, and shows its menu (UEFI 2.10, section 3.1.1).
        Start::Disk => "echo Starting from the disk\niseq ${platform} efi && exit 1 || exit\n".to_owned(),
        Start::Install => system(base, arguments, "Installing"),
        Start::Rescue => system(base, arguments, "Starting the rescue system"),
        Start::Wipe => system(base, arguments, "Wiping"),
        Start::Script { url, text } => {
            let begin = format!(
                "set tinkerbell {base}\nset ipxe_cloud_config packet\nset packet_facility {}\nset packet_plan {}\n",
                place.site, place.plan
            );
            match (url, text) {
                (Some(url), _) => format!("{begin}chain --autofree {}\n", one_line(url)),
                // Its first line only says what it is.
                (None, Some(text)) => {
                    format!("{begin}{}\n", text.trim_start_matches("#!ipxe").trim_start_matches('\r'))
                }
                (None, None) => again(base),
            }
        }
    };
    format!("#!ipxe\n\n{body}")
}

fn system(base: &str, arguments: &str, what: &str) -> String {
    // The kernel finds the memory file system by the name it has for iPXE, which UEFI kernels need to be told.
    format!(
        "echo {what}\n\
         kernel {base}/files/vmlinuz initrd=initrd meetme={base} {} || goto again\n\
         initrd --name initrd {base}/files/initrd || goto again\n\
         boot || goto again\n\
         :again\n{}",
        one_line(arguments),
        again(base)
    )
}

fn again(base: &str) -> String {
    format!("echo Asking again in a moment\nsleep 5\nchain --replace --autofree {base}/auto.ipxe\n")
}

/// Nothing that is written into a line may begin another one.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { site: "ewr1", plan: "baremetal_0" };

    fn of(start: &Start) -> String {
        script(start, "http://198.18.0.1:8081", "console=ttyS0 quiet", &PLACE)
    }

    #[test]
    fn a_machine_that_is_installed_starts_our_system_and_asks_again_when_it_cannot() {
        insta::assert_snapshot!(of(&Start::Install), @r"
        #!ipxe

        echo Installing
        kernel http://198.18.0.1:8081/files/vmlinuz initrd=initrd meetme=http://198.18.0.1:8081 console=ttyS0 quiet || goto again
        initrd --name initrd http://198.18.0.1:8081/files/initrd || goto again
        boot || goto again
        :again
        echo Asking again in a moment
        sleep 5
        chain --replace --autofree http://198.18.0.1:8081/auto.ipxe
        ");
    }

    #[test]
    fn a_customers_script_is_chained_to_or_follows_what_it_expects() {
        let chained = Start::Script { url: Some("http://192.0.2.1/a.ipxe\nreboot".into()), text: None };
        insta::assert_snapshot!(of(&chained), @r"
        #!ipxe

        set tinkerbell http://198.18.0.1:8081
        set ipxe_cloud_config packet
        set packet_facility ewr1
        set packet_plan baremetal_0
        chain --autofree http://192.0.2.1/a.ipxereboot
        ");
        let own = Start::Script { url: None, text: Some("#!ipxe\necho mine\nshell".into()) };
        assert!(of(&own).ends_with("set packet_plan baremetal_0\n\necho mine\nshell\n"));
        assert_eq!(of(&own).matches("#!ipxe").count(), 1);
    }

    #[test]
    fn an_installed_machine_goes_on_with_its_disk() {
        let disk = "#!ipxe\n\necho Starting from the disk\niseq ${platform} efi && exit 1 || exit\n";
        assert_eq!(of(&Start::Disk), disk);
        assert!(of(&Start::Wait).contains("sleep 5"));
    }
}
