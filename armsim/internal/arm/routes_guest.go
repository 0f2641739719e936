package arm

// What reaches into the guests of instances: their disks' contents, and scripts.

func routesOfGuests() []route {
	return []route{
		{"VirtualMachineScaleSets_Reimage", post, setPath + "/reimage", setAction + "reimage/action", limitScaleSetAct, inGuests(reimageScaleSet)},
		{"VirtualMachineScaleSets_ReimageAll", post, setPath + "/reimageall", setAction + "reimageAll/action", limitScaleSetAct, inGuests(reimageScaleSet)},
		{"VirtualMachineScaleSetVMs_Reimage", post, instancePath + "/reimage", vmAction + "reimage/action", limitInstancePut, inGuests(reimageInstance)},
		{"VirtualMachineScaleSetVMs_ReimageAll", post, instancePath + "/reimageall", vmAction + "reimageAll/action", limitInstancePut, inGuests(reimageInstance)},
		{"VirtualMachines_Reimage", post, machinePath + "/reimage", ownAction + "reimage/action", limitMachinePut, inGuests(reimageMachine)},
		{"VirtualMachineScaleSetVMs_RunCommand", post, instancePath + "/runCommand", vmAction + "runCommand/action", limitInstancePut, inGuests(runOnInstance)},
		{"VirtualMachines_RunCommand", post, machinePath + "/runCommand", ownAction + "runCommand/action", limitMachinePut, inGuests(runOnMachine)},
	}
}
