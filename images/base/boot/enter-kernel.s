# Enters an uncompressed 64-bit kernel from the 32-bit boot protocol, in the place of the kernel's own decompressor.
# On entry (Linux, Documentation/arch/x86/boot.rst, "32-bit boot protocol"): protected mode, flat segments, paging and
# interrupts off, ESI = boot_params, no stack. The kernel's entry wants 64-bit mode, identity-mapped memory and
# RSI = boot_params; it sets up everything else itself. The code runs wherever the boot loader put it.
# It lies where the kernel's zeroed data begin, which the file leaves out; it clears what comes after itself, and the
# kernel clears these very pages once it has its own page tables.
# Words at the very end, for the build: offset of `here` (read), distance from `here` back to the kernel's entry and
# number of bytes to clear behind this code (written).

        .code32
        .globl  _start
_start:
        cli
        cld
        leal    0x1e8(%esi), %esp       # a four-byte stack: the field `scratch` of boot_params (0x1e4)
        call    here
here:   popl    %ebp
        leal    stack_end - here(%ebp), %esp

        # Page tables: four gigabytes in pages of 2 MiB, each address mapped to itself.
        leal    tables - here(%ebp), %edi
        movl    %edi, %ebx              # PML4
        xorl    %eax, %eax
        movl    $(6 * 1024), %ecx
        rep stosl
        leal    0x1007(%ebx), %eax      # present, writable, user
        movl    %eax, (%ebx)
        leal    0x1000(%ebx), %edi      # PDPT: four entries
        leal    0x2007(%ebx), %eax
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        leal    0x2000(%ebx), %edi      # four page directories
        movl    $0x183, %eax            # present, writable, 2 MiB, global
        movl    $2048, %ecx
2:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    2b

        leal    end - here(%ebp), %edi
        xorl    %eax, %eax
        movl    clear_bytes - here(%ebp), %ecx
        shrl    $2, %ecx
        rep stosl

        leal    gdt - here(%ebp), %eax
        movl    %eax, gdt_base - here(%ebp)
        lgdt    gdt_limit - here(%ebp)

        movl    %cr4, %eax
        orl     $0x20, %eax             # PAE
        movl    %eax, %cr4
        movl    %ebx, %cr3
        movl    $0xc0000080, %ecx       # EFER
        rdmsr
        orl     $0x100, %eax            # LME
        wrmsr
        pushl   $0x10
        leal    long_mode - here(%ebp), %eax
        pushl   %eax
        movl    %cr0, %eax
        orl     $0x80000001, %eax       # PG, PE
        movl    %eax, %cr0
        lret

        .code64
long_mode:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %esi, %esi              # clears the upper half
        movl    %ebp, %ebp
        movl    distance - here(%rbp), %eax
        subq    %rax, %rbp
        jmp     *%rbp

        .balign 8
gdt:    .quad   0
        .quad   0
        .quad   0x00af9a000000ffff      # 0x10: 64-bit code
        .quad   0x00cf92000000ffff      # 0x18: data
gdt_end:
gdt_limit:
        .word   gdt_end - gdt - 1
gdt_base:
        .long   0
        .balign 8
        .fill   64, 1, 0
stack_end:
        .balign 4096
tables: .fill   6 * 4096, 1, 0
here_offset:
        .long   here - _start
distance:
        .long   0
clear_bytes:
        .long   0
end:
