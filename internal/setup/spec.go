package setup

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Spec is what is wanted. Zero values take the defaults of Complete.
type Spec struct {
	Subscription string
	Group        string // resource group; empty: Name
	Location     string
	Name         string // of the scale set, and the beginning of other names
	Mode         string // Uniform or Flexible; empty: Uniform, or Flexible for several sizes

	Sizes     []string // several make an instance mix, in order of preference
	Zones     []string
	Spot      bool
	Regular   int    // of a Spot scale set in Flexible mode: regular instances that are kept; needs Spot
	Ephemeral bool   // OS disk on the host: faster and without cost, and no suspension
	Image     string // see ParseImage
	User      string // that logs in
	PublicKey string // of the user, in one line
	CloudInit string // customData in clear text; empty: installs Docker; "-": none
	SubnetID  string // an existing subnet; empty: a network is made
	Cidr      string // of the network that is made

	Identity  string // name of a managed identity to make for the runner; empty: none
	Principal string // object ID of one that is there; empty: none
}

// Defaults.
const (
	DefaultImage = "Canonical:ubuntu-24_04-lts:server:latest"
	DefaultSize  = "Standard_D2s_v5"
	DefaultUser  = "azureuser"
	defaultCidr  = "10.40.0.0/16"

	// MaxName leaves room for what Azure appends to the names of instances: a Linux
	// computer name has 63 characters at most, of which six are the instance's.
	MaxName = 57
)

var (
	namePattern  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$`)
	groupPattern = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)
	guidPattern  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	keyPattern   = regexp.MustCompile(`^(ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+( .*)?$`)
)

// Complete fills in defaults, and checks what can be checked without Azure. The error
// names all that is wrong, in one line.
func (s Spec) Complete() (Spec, error) {
	s.Group, s.Image, s.User, s.Cidr = cmp.Or(s.Group, s.Name), cmp.Or(s.Image, DefaultImage), cmp.Or(s.User, DefaultUser), cmp.Or(s.Cidr, defaultCidr)
	if len(s.Sizes) == 0 {
		s.Sizes = []string{DefaultSize}
	}
	if s.Mode == "" {
		s.Mode = string(armops.Uniform)
		if len(s.Sizes) > 1 || s.Regular > 0 {
			s.Mode = string(armops.Flexible)
		}
	}
	var wrong []error
	for _, r := range specRules {
		if r.broken(&s) {
			wrong = append(wrong, errors.New(r.problem+"; fix: "+r.fix))
		}
	}
	if _, err := ParseImage(s.Image); err != nil {
		wrong = append(wrong, err)
	}
	return s, joined(wrong)
}

// joined is one error in one line of those that are none nil; nil if all are.
func joined(wrong []error) error {
	var texts []string
	for _, err := range wrong {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

type specRule struct {
	broken       func(*Spec) bool
	problem, fix string
}

var specRules = []specRule{
	{func(s *Spec) bool { return !guidPattern.MatchString(s.Subscription) }, "--subscription is no subscription ID", "az account show --query id -o tsv"},
	{func(s *Spec) bool { return s.Location == "" }, "--location is missing", "az account list-locations --query '[].name' -o tsv"},
	{func(s *Spec) bool { return !namePattern.MatchString(s.Name) }, "--name must begin with a letter, end with a letter or digit, and have only letters, digits and hyphens", "--name ci-runners"},
	{
		func(s *Spec) bool { return len(s.Name) > MaxName },
		fmt.Sprintf("--name is longer than %d characters, and the names of instances, which add six, have 63 at most", MaxName), "--name ci-runners",
	},
	{func(s *Spec) bool { return !groupPattern.MatchString(s.Group) }, "--resource-group has 1 to 90 letters, digits, and any of - _ . ( ), and does not end with a period", "--resource-group ci"},
	{func(s *Spec) bool { return s.Mode != "Uniform" && s.Mode != "Flexible" }, "--mode is Uniform or Flexible", "--mode Uniform"},
	{func(s *Spec) bool { return len(s.Sizes) > 5 }, "an instance mix has 5 sizes at most", "leave out --size where it is given for the sixth time"},
	{func(s *Spec) bool { return len(s.Sizes) > 1 && s.Mode == "Uniform" }, "several sizes need Flexible orchestration", "--mode Flexible"},
	{func(s *Spec) bool { return len(s.Sizes) > 1 && s.Ephemeral }, "an instance mix cannot have ephemeral OS disks", "one --size, or no --ephemeral"},
	{func(s *Spec) bool { return s.Regular > 0 && (!s.Spot || s.Mode == "Uniform") }, "--regular keeps regular instances beside Spot ones in Flexible orchestration", "--spot --mode Flexible"},
	{func(s *Spec) bool { return !keyPattern.MatchString(s.PublicKey) }, "the public key is none of SSH in one line, of type RSA or Ed25519, which are those that Azure takes", "ssh-keygen -t ed25519 -f id_ed25519"},
	{
		func(s *Spec) bool { return s.SubnetID != "" && armops.Match("GET", s.SubnetID) != armops.GetSubnet },
		"--subnet is no resource ID of a subnet", "az network vnet subnet show -g GROUP --vnet-name NETWORK -n SUBNET --query id -o tsv",
	},
	{func(s *Spec) bool { return s.SubnetID == "" && !isNetwork(s.Cidr) }, "--network is no range of IPv4 addresses that a subnet can have", "--network " + defaultCidr},
	{func(s *Spec) bool { return s.Principal != "" && !guidPattern.MatchString(s.Principal) }, "--principal is no object ID", "az identity show -g GROUP -n NAME --query principalId -o tsv"},
	{func(s *Spec) bool { return s.Principal != "" && s.Identity != "" }, "--principal and --identity exclude each other", "leave one of them out"},
}

// isNetwork reports whether a subnet can have a range: none is smaller than /29 (Microsoft's
// virtual network FAQ).
func isNetwork(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Addr().Is4() && p == p.Masked() && p.Bits() <= 29
}
