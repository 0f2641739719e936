package arm

func routesOfDisks() []route {
	const path, one, action = groupPath + "/providers/Microsoft.Compute/disks", groupPath + "/providers/Microsoft.Compute/disks/{disk}", "Microsoft.Compute/disks/"
	return []route{
		{"Disks_List", get, subscriptionPath + "/providers/Microsoft.Compute/disks", action + "read", limitNone, ofDisks(listAllDisks)},
		{"Disks_ListByResourceGroup", get, path, action + "read", limitNone, ofDisks(listDisks)},
		{"Disks_Get", get, one, action + "read", limitNone, ofDisks(getDisk)},
		{"Disks_CreateOrUpdate", put, one, action + "write", limitNone, ofDisks(putDisk)},
		{"Disks_Update", patch, one, action + "write", limitNone, ofDisks(putDisk)},
		{"Disks_Delete", del, one, action + "delete", limitNone, ofDisks(deleteDisk)},
		{"DiskOperations_Get", get, locationPath + "/DiskOperations/{operation}", "Microsoft.Compute/locations/DiskOperations/read", limitNone, getOperation},
	}
}
