package arm

func routesOfDisks() []route {
	const path, one, action = groupPath + "/providers/Microsoft.Compute/disks", groupPath + "/providers/Microsoft.Compute/disks/{disk}", "Microsoft.Compute/disks/"
	return []route{
		{"Disks_List", get, subscriptionPath + "/providers/Microsoft.Compute/disks", action + "read", limitNone, listAllDisks},
		{"Disks_ListByResourceGroup", get, path, action + "read", limitNone, listDisks},
		{"Disks_Get", get, one, action + "read", limitNone, getDisk},
		{"Disks_CreateOrUpdate", put, one, action + "write", limitNone, putDisk},
		{"Disks_Update", patch, one, action + "write", limitNone, putDisk},
		{"Disks_Delete", del, one, action + "delete", limitNone, deleteDisk},
		{"DiskOperations_Get", get, locationPath + "/DiskOperations/{operation}", "Microsoft.Compute/locations/DiskOperations/read", limitNone, getOperation},
	}
}
