package armops

// The operations of the operator's tools, as in Azure's specification.
const (
	GetSubscription  = "Subscriptions_Get"
	GetGroup         = "ResourceGroups_Get"
	PutGroup         = "ResourceGroups_CreateOrUpdate"
	DeleteGroup      = "ResourceGroups_Delete"
	ListGroupContent = "Resources_ListByResourceGroup"
	GetProvider      = "Providers_Get"
	RegisterProvider = "Providers_Register"

	GetNetwork           = "VirtualNetworks_Get"
	PutNetwork           = "VirtualNetworks_CreateOrUpdate"
	DeleteNetwork        = "VirtualNetworks_Delete"
	GetSubnet            = "Subnets_Get"
	PutSubnet            = "Subnets_CreateOrUpdate"
	GetSecurityGroup     = "NetworkSecurityGroups_Get"
	PutSecurityGroup     = "NetworkSecurityGroups_CreateOrUpdate"
	DeleteSecurityGroup  = "NetworkSecurityGroups_Delete"
	GetGateway           = "NatGateways_Get"
	PutGateway           = "NatGateways_CreateOrUpdate"
	DeleteGateway        = "NatGateways_Delete"
	GetPublicAddress     = "PublicIPAddresses_Get"
	PutPublicAddress     = "PublicIPAddresses_CreateOrUpdate"
	DeletePublicAddress  = "PublicIPAddresses_Delete"
	PutScaleSet          = "VirtualMachineScaleSets_CreateOrUpdate"
	DeleteScaleSet       = "VirtualMachineScaleSets_Delete"
	ListSizes            = "ResourceSkus_List"
	ListUsages           = "Usage_List"
	ListImageVersions    = "VirtualMachineImages_List"
	GetImageVersion      = "VirtualMachineImages_Get"
	ListImageSKUs        = "VirtualMachineImages_ListSkus"
	ListImageOffers      = "VirtualMachineImages_ListOffers"
	ListImagePublishers  = "VirtualMachineImages_ListPublishers"
	GetImage             = "Images_Get"
	GetGalleryImage      = "GalleryImages_Get"
	ListGalleryVersions  = "GalleryImageVersions_ListByGalleryImage"
	GetGalleryVersion    = "GalleryImageVersions_Get"
	GetCommunityImage    = "CommunityGalleryImages_Get"
	ListCommunityVersion = "CommunityGalleryImageVersions_List"
	GetTerms             = "MarketplaceAgreements_Get"

	ListPermissions      = "Permissions_ListForResourceGroup"
	ListScopePermissions = "Permissions_ListForResource" // of any resource in a group
	ListRoles            = "RoleDefinitions_List"
	GetRole              = "RoleDefinitions_Get"
	PutRole              = "RoleDefinitions_CreateOrUpdate"
	DeleteRole           = "RoleDefinitions_Delete"
	GetAssignment        = "RoleAssignments_Get"
	PutAssignment        = "RoleAssignments_Create"
	DeleteAssignment     = "RoleAssignments_Delete"
	ListAssignments      = "RoleAssignments_ListForScope"
	ListLocks            = "ManagementLocks_ListAtResourceGroupLevel"
	GetIdentity          = "UserAssignedIdentities_Get"
	PutIdentity          = "UserAssignedIdentities_CreateOrUpdate"
	DeleteIdentity       = "UserAssignedIdentities_Delete"
)

const (
	subscription  = "/subscriptions/{subscription}"
	authorization = "/providers/Microsoft.Authorization/"
	publishers    = subscription + "/providers/Microsoft.Compute/locations/{location}/publishers"
	galleries     = group + "/providers/Microsoft.Compute/galleries/{gallery}/images/{image}"
	community     = subscription + "/providers/Microsoft.Compute/locations/{location}/communityGalleries/{gallery}/images/{image}"

	resourceVersion = "2022-09-01"
	skuVersion      = "2021-07-01"
	galleryVersion  = "2023-07-03"
	roleVersion     = "2022-04-01"
	permitVersion   = "2022-04-01"
	lockVersion     = "2016-09-01"
	identityVersion = "2023-01-31"
	termsVersion    = "2021-01-01"
	natVersion      = "2024-01-01"
)

// Tools returns the operations of setup, teardown and doctor that the plugin itself does
// not use, in a fresh slice. The role of the plugin does not hold their actions.
func Tools() []Operation {
	var all []Operation
	add := func(name, method, path, version, action string) {
		all = append(all, Operation{name, method, path, version, action, Both})
	}
	addGroups(add)
	addNetwork(add)
	addCompute(add)
	addImages(add)
	addAuthorization(add)
	addPolicies(add)
	return all
}

type adder func(name, method, path, version, action string)

// addAll adds reading, writing and deleting of one kind of resource.
func (add adder) all(get, put, del, path, version, action string) {
	add(get, "GET", path, version, action+"/read")
	add(put, "PUT", path, version, action+"/write")
	add(del, "DELETE", path, version, action+"/delete")
}

func addGroups(add adder) {
	const action = "Microsoft.Resources/subscriptions/resourceGroups"
	add(GetSubscription, "GET", subscription, resourceVersion, "Microsoft.Resources/subscriptions/read")
	add.all(GetGroup, PutGroup, DeleteGroup, group, resourceVersion, action)
	add(ListGroupContent, "GET", group+"/resources", resourceVersion, action+"/resources/read")
	add(GetProvider, "GET", subscription+"/providers/{namespace}", resourceVersion, "Microsoft.Resources/subscriptions/providers/read")
	add(RegisterProvider, "POST", subscription+"/providers/{namespace}/register", resourceVersion, "Microsoft.Resources/subscriptions/providers/register/action")
}

func addNetwork(add adder) {
	add.all(GetNetwork, PutNetwork, DeleteNetwork, networks+"/virtualNetworks/{network}", natVersion, "Microsoft.Network/virtualNetworks")
	add(GetSubnet, "GET", networks+"/virtualNetworks/{network}/subnets/{subnet}", natVersion, "Microsoft.Network/virtualNetworks/subnets/read")
	add(PutSubnet, "PUT", networks+"/virtualNetworks/{network}/subnets/{subnet}", natVersion, "Microsoft.Network/virtualNetworks/subnets/write")
	add.all(GetSecurityGroup, PutSecurityGroup, DeleteSecurityGroup, networks+"/networkSecurityGroups/{securityGroup}", natVersion, "Microsoft.Network/networkSecurityGroups")
	add.all(GetGateway, PutGateway, DeleteGateway, networks+"/natGateways/{gateway}", natVersion, "Microsoft.Network/natGateways")
	add.all(GetPublicAddress, PutPublicAddress, DeletePublicAddress, networks+"/publicIPAddresses/{address}", natVersion, "Microsoft.Network/publicIPAddresses")
}

func addCompute(add adder) {
	add(PutScaleSet, "PUT", scaleSet, computeVersion, actions+"write")
	add(DeleteScaleSet, "DELETE", scaleSet, computeVersion, actions+"delete")
	add(ListSizes, "GET", subscription+"/providers/Microsoft.Compute/skus", skuVersion, "Microsoft.Compute/skus/read")
	add(ListUsages, "GET", subscription+"/providers/Microsoft.Compute/locations/{location}/usages", computeVersion, "Microsoft.Compute/locations/usages/read")
}

func addImages(add adder) {
	const (
		action = "Microsoft.Compute/locations/publishers"
		offers = publishers + "/{publisher}/artifacttypes/vmimage/offers"
		skus   = offers + "/{offer}/skus"
	)
	add(ListImagePublishers, "GET", publishers, computeVersion, action+"/read")
	add(ListImageOffers, "GET", offers, computeVersion, action+"/artifacttypes/offers/read")
	add(ListImageSKUs, "GET", skus, computeVersion, action+"/artifacttypes/offers/skus/read")
	add(ListImageVersions, "GET", skus+"/{sku}/versions", computeVersion, action+"/artifacttypes/offers/skus/versions/read")
	add(GetImageVersion, "GET", skus+"/{sku}/versions/{version}", computeVersion, action+"/artifacttypes/offers/skus/versions/read")
	add(GetImage, "GET", group+"/providers/Microsoft.Compute/images/{image}", computeVersion, "Microsoft.Compute/images/read")
	add(GetGalleryImage, "GET", galleries, galleryVersion, "Microsoft.Compute/galleries/images/read")
	add(ListGalleryVersions, "GET", galleries+"/versions", galleryVersion, "Microsoft.Compute/galleries/images/versions/read")
	add(GetGalleryVersion, "GET", galleries+"/versions/{version}", galleryVersion, "Microsoft.Compute/galleries/images/versions/read")
	add(GetCommunityImage, "GET", community, galleryVersion, "Microsoft.Compute/locations/communityGalleries/images/read")
	add(ListCommunityVersion, "GET", community+"/versions", galleryVersion, "Microsoft.Compute/locations/communityGalleries/images/versions/read")
	add(GetTerms, "GET", subscription+"/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/{publisher}/offers/{offer}/plans/{plan}/agreements/current", termsVersion, "Microsoft.MarketplaceOrdering/offerTypes/publishers/offers/plans/agreements/read")
}

func addAuthorization(add adder) {
	const action = "Microsoft.Authorization/"
	add(ListPermissions, "GET", group+authorization+"permissions", permitVersion, action+"permissions/read")
	add(ListScopePermissions, "GET", group+"/providers/{resource*}"+authorization+"permissions", permitVersion, action+"permissions/read")
	add(ListRoles, "GET", group+authorization+"roleDefinitions", roleVersion, action+"roleDefinitions/read")
	add.all(GetRole, PutRole, DeleteRole, group+authorization+"roleDefinitions/{role}", roleVersion, action+"roleDefinitions")
	add(ListAssignments, "GET", group+authorization+"roleAssignments", roleVersion, action+"roleAssignments/read")
	add.all(GetAssignment, PutAssignment, DeleteAssignment, group+authorization+"roleAssignments/{assignment}", roleVersion, action+"roleAssignments")
	add(ListLocks, "GET", group+authorization+"locks", lockVersion, action+"locks/read")
	add.all(GetIdentity, PutIdentity, DeleteIdentity, group+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity}", identityVersion, "Microsoft.ManagedIdentity/userAssignedIdentities")
}
