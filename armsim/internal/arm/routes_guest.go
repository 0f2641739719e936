package arm

// What reaches into the guests of instances: their disks' contents, and scripts.

func routesOfGuests() []route {
	return []route{
		{"VirtualMachineScaleSets_Reimage", post, setPath + "/reimage", setAction + "reimage/action", limitScaleSetAct, reimageScaleSet},
		{"VirtualMachineScaleSets_ReimageAll", post, setPath + "/reimageall", setAction + "reimageAll/action", limitScaleSetAct, reimageScaleSet},
		{"VirtualMachineScaleSetVMs_Reimage", post, instancePath + "/reimage", vmAction + "reimage/action", limitInstancePut, reimageInstance},
		{"VirtualMachineScaleSetVMs_ReimageAll", post, instancePath + "/reimageall", vmAction + "reimageAll/action", limitInstancePut, reimageInstance},
		{"VirtualMachines_Reimage", post, machinePath + "/reimage", ownAction + "reimage/action", limitMachinePut, reimageMachine},
		{"VirtualMachineScaleSetVMs_RunCommand", post, instancePath + "/runCommand", vmAction + "runCommand/action", limitInstancePut, runOnInstance},
		{"VirtualMachines_RunCommand", post, machinePath + "/runCommand", ownAction + "runCommand/action", limitMachinePut, runOnMachine},
	}
}
