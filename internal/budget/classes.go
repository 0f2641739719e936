package budget

// Classes returns the classes of which Azure's limits are known, in a fresh slice.
func Classes() []Class {
	return []Class{
		ListInstances, ReadInstance, ReadScaleSet, WriteScaleSet, DeleteInstances, DeallocateInstances, StartInstances, ListVirtualMachines, ListByGraph,
		managerReads, managerWrites, managerDeletes,
	}
}
